// SPDX-License-Identifier: Apache-2.0

// A real engine under load, to be traced: `node record-main.ts DIR SEED INSTANCES LIVES`. Each note is a
// line on standard output, written at that moment.

import { writeSync } from "node:fs";
import { openEngine } from "@pawl/engine";
import { Random } from "../random.ts";
import { connectWorker, Workload } from "./load/workload.ts";

const [dataDir = "", seed = "0", instances = "0", lives = "1"] = process.argv.slice(2);
const random = new Random(Number(seed));

for (let life = 1; life <= Number(lives); life += 1) {
  const engine = await openEngine({ dataDir });
  const { worker, running } = connectWorker(engine);
  const workload = new Workload(engine, {
    random: random.fork(life),
    actors: 6,
    padBytes: 60_000,
    name: `${life}.`,
    note: (note) => writeSync(1, `${JSON.stringify(note)}\n`),
  });
  await workload.run(() => workload.count >= Number(instances) / Number(lives));
  await worker.stop();
  await running;
  await engine.close();
}
