// SPDX-License-Identifier: Apache-2.0

// A program: the chain on the JavaScript worker of Durable Task. Takes the address of a sidecar
// service, ends at a signal.

import { TaskHubGrpcWorker } from "@dapr/durabletask-js";

const increment = (_context, value) => value + 1;

async function* chain(context, value) {
  const first = yield context.callActivity(increment, value);
  const second = yield context.callActivity(increment, first);
  return yield context.callActivity(increment, second);
}

const [address] = process.argv.slice(2);
const worker = new TaskHubGrpcWorker(address);
worker.addNamedOrchestrator("chain", chain);
worker.addNamedActivity("increment", increment);
// What it logs about every item is not of interest.
console.log = () => {};
console.info = () => {};
await worker.start();
process.stdout.write("worker ready\n");
const stop = () => process.exit();
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
