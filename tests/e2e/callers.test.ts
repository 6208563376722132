// SPDX-License-Identifier: Apache-2.0

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callers, usableCallers } from "./caller.js";
import { ServerProcess } from "./server-process.js";
import { findTool, runTool } from "./tool.js";

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start();
});
afterAll(() => server.discard());

describe("one server, every way to call it", () => {
  for (const [index, caller] of callers.entries()) {
    const isSkipped = !usableCallers.includes(caller);
    test.skipIf(isSkipped)(`${caller.name} starts an instance that all find`, async () => {
      const started = {
        instanceId: `e2e-${index}`,
        workflow: "nobody-runs-this",
        input: JSON.stringify({ text: "für 3 €", list: [1, 2, 3] }),
      };
      await caller.start(server, started);
      const expected = { ...started, status: "INSTANCE_STATUS_PENDING" };
      const findings = await Promise.all(
        usableCallers.map(async (finder) => ({
          finder: finder.name,
          ...(await finder.find(server, started.instanceId)),
        })),
      );
      expect(findings).toEqual(usableCallers.map(({ name }) => ({ finder: name, ...expected })));
    });
  }
});

describe("reflection and health", () => {
  const isSkipped = findTool("GRPCURL") === undefined;

  test.skipIf(isSkipped)("grpcurl lists every service on both ports", async () => {
    for (const address of [server.url.replace("http://", ""), server.grpcAddress]) {
      const listing = await runTool("GRPCURL", ["-plaintext", address, "list"]);
      expect(listing.trim().split("\n").sort()).toEqual([
        "TaskHubSidecarService",
        "dapr.proto.runtime.v1.Dapr",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "pawl.v1.AdminService",
        "pawl.v1.BatchService",
        "pawl.v1.CallService",
        "pawl.v1.WorkerService",
        "pawl.v1.WorkflowService",
      ]);
    }
  });

  test.skipIf(isSkipped)("grpcurl describes a method", async () => {
    const address = server.url.replace("http://", "");
    const method = "pawl.v1.WorkflowService.StartInstance";
    const text = await runTool("GRPCURL", ["-plaintext", address, "describe", method]);
    expect(text).toContain("rpc StartInstance ( .pawl.v1.StartInstanceRequest )");
  });

  test.skipIf(isSkipped)("the health service says SERVING", async () => {
    const method = "grpc.health.v1.Health/Check";
    const text = await runTool("GRPCURL", ["-plaintext", server.grpcAddress, method]);
    expect(JSON.parse(text)).toEqual({ status: "SERVING" });
  });

  test("REST health answers without a body", async () => {
    for (const path of ["/v1.0/healthz", "/v1.0/healthz/outbound"]) {
      const response = await fetch(server.url + path);
      expect([path, response.status]).toEqual([path, 204]);
    }
  });

  test("metadata names the server's version", async () => {
    const response = await fetch(`${server.url}/v1.0/metadata`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ runtimeVersion: expect.any(String) });
  });
});
