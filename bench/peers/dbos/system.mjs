// SPDX-License-Identifier: Apache-2.0

// The benchmark's workflows on DBOS.

import { DBOS } from "@dbos-inc/dbos-sdk";

const increment = async (value) => value + 1;
const stamp = async () => performance.timeOrigin + performance.now();

const chain = DBOS.registerWorkflow(
  async (value) => {
    const first = await DBOS.runStep(() => increment(value), { name: "increment" });
    const second = await DBOS.runStep(() => increment(first), { name: "increment" });
    return DBOS.runStep(() => increment(second), { name: "increment" });
  },
  { name: "chain" },
);

const fanOut = DBOS.registerWorkflow(
  async (width) => {
    const calls = Array.from({ length: width }, (_, index) =>
      DBOS.runStep(() => increment(index), { name: "increment" }),
    );
    return (await Promise.all(calls)).length;
  },
  { name: "fanOut" },
);

const steps = DBOS.registerWorkflow(
  async (count) => {
    const times = [];
    for (let step = 1; step <= count; step += 1) {
      const at = await DBOS.runStep(stamp, { name: "stamp" });
      if (step === 1 || step === 101 || step === count - 100 || step === count) times.push(at);
    }
    return times;
  },
  { name: "steps" },
);

const waiting = DBOS.registerWorkflow(async () => DBOS.recv("go", 600), { name: "waiting" });

async function run(workflow, input) {
  const handle = await DBOS.startWorkflow(workflow)(input);
  return handle.getResult();
}

function requireOutput(output, expected) {
  if (output !== expected) throw new Error(`a workflow ended with ${JSON.stringify(output)}`);
}

/** Opens the system: the library in this process, its database elsewhere. */
export async function open(systemDatabaseUrl) {
  DBOS.setConfig({
    name: "bench",
    systemDatabaseUrl,
    systemDatabasePoolSize: 50,
    logLevel: "error",
  });
  await DBOS.launch();
  return {
    pids: {},
    chain: async () => requireOutput(await run(chain, 0), 3),
    fanOut: async (width) => requireOutput(await run(fanOut, width), width),
    steps: (count) => run(steps, count),
    startWaiting: async (count) => {
      const handles = await Promise.all(
        Array.from({ length: count }, () => DBOS.startWorkflow(waiting)()),
      );
      return handles.map((handle, index) => async () => {
        await DBOS.send(handle.workflowID, index, "go");
        requireOutput(await handle.getResult(), index);
      });
    },
    close: () => DBOS.shutdown(),
  };
}
