// SPDX-License-Identifier: Apache-2.0

import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { InstanceStatus, WorkflowService } from "@pawl/protocol";
import { expect, test } from "vitest";
import { type Program, type ServerProcess, useServer } from "./server-process.js";

function connect(server: ServerProcess) {
  return createClient(WorkflowService, createGrpcTransport({ baseUrl: server.url }));
}

const cases: readonly (readonly [Program, NodeJS.Signals])[] = [
  ["server", "SIGTERM"],
  ["server", "SIGINT"],
  ["sample", "SIGTERM"],
  ["sample", "SIGINT"],
  ["npm-start", "SIGTERM"],
];

test.each(cases)("%s ends with code 0 on %s, callers waiting", async (program, signal) => {
  const server = await useServer(program);
  const client = connect(server);
  await client.startInstance({ workflow: "nobody-runs-this", instanceId: "waited-for" });
  const waiting = client.waitForInstanceCompletion({ instanceId: "waited-for" });
  const watching = client.watchInstance({ instanceId: "waited-for" })[Symbol.asyncIterator]();
  await watching.next();
  const refused = expect(waiting).rejects.toThrow();
  const cut = expect(watching.next()).rejects.toThrow();
  const ending = await server.stop(signal);
  expect([ending.code, ending.signal], ending.stderr).toEqual([0, null]);
  await Promise.all([refused, cut]);
});

test("npm start ends with code 0 on Ctrl-C, which its whole process group gets", async () => {
  const server = await useServer("npm-start");
  const ending = await server.interruptGroup();
  expect([ending.code, ending.signal], ending.stderr).toEqual([0, null]);
  await expect(fetch(`${server.url}/v1.0/healthz`)).rejects.toThrow();
});

test("a restart keeps what was accepted and goes on with what was unfinished", async () => {
  const first = await useServer("sample");
  const client = connect(first);
  const { instanceId } = await client.startInstance({
    workflow: "order",
    instanceId: "order-over-restart",
    input: JSON.stringify({ item: "book", quantity: 1, amountCents: 1200 }),
  });
  await client.waitForInstanceStart({ instanceId });
  const { instance: before } = await client.getInstance({ instanceId });
  expect(before?.status).toBe(InstanceStatus.RUNNING);
  expect((await first.stop()).code).toBe(0);

  const second = await useServer("sample", first.place);
  const again = connect(second);
  const { instance: kept } = await again.getInstance({ instanceId });
  expect(kept?.createdAt).toEqual(before?.createdAt);
  await again.raiseEvent({
    instanceId,
    name: "shipped",
    input: JSON.stringify({ carrier: "post" }),
  });
  const { instance: ended } = await again.waitForInstanceCompletion({ instanceId });
  expect(ended?.output).toBe(JSON.stringify({ status: "confirmed", carrier: "post" }));
});
