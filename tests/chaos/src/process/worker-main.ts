// SPDX-License-Identifier: Apache-2.0

// A worker as a process, to be killed: `node worker-main.ts URL FILE`. Each begin and end of an
// activity is a line of the file, written before anything else happens, and a message to the parent.

import { openSync, writeSync } from "node:fs";
import { type ActivityContext, createWorker } from "@pawl/client";
import { createActivities, workflows } from "../load/definitions.ts";
import type { RunLine } from "./run-line.ts";

const [baseUrl = "", path = ""] = process.argv.slice(2);
const file = openSync(path, "a");

function note(what: RunLine["what"], context: ActivityContext): void {
  const { instanceId, executionId, taskId } = context;
  const line: RunLine = { what, at: Date.now(), instanceId, executionId, taskId };
  writeSync(file, `${JSON.stringify(line)}\n`);
  process.send?.(what);
}

const worker = createWorker({
  baseUrl,
  workflows,
  activities: createActivities({
    begin: (context) => note("begin", context),
    end: (context) => note("end", context),
  }),
  name: `worker ${process.pid}`,
  cacheLimit: 50,
  logger: { info() {}, warn() {}, error() {} },
});
// Without its parent it has nothing to do.
process.once("disconnect", () => process.exit());
await worker.start();
process.send?.("connected");
await worker.run();
