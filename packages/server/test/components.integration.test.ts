// SPDX-License-Identifier: Apache-2.0

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { Dapr, Health, TaskHubSidecarService, WorkflowService } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import type { PawlServer, ServerOptions } from "../src/index.js";
import { componentYaml, KeptLog, newFolder, writeYaml } from "./component-folder.js";
import { rest, startServer } from "./test-server.js";

const inBilling = { headers: { "pawl-component": "billing" } };
const unknown = {
  errorCode: "ERR_WORKFLOW_COMPONENT_NOT_FOUND",
  message: "workflow component 'nowhere' does not exist",
};

/** A server with the components billing and shipping, and its log. */
async function startWithTwo(options: ServerOptions = {}): Promise<PawlServer> {
  const folder = await newFolder();
  await writeYaml(
    folder,
    "all.yaml",
    `${componentYaml("billing")}---\n${componentYaml("shipping")}`,
  );
  return startServer({ componentsPaths: [folder], ...options });
}

/** Starts `order` as `a` in each, with its name as the input. */
async function startInEach(server: PawlServer): Promise<void> {
  for (const name of ["dapr", "billing", "shipping"]) {
    const path = `/v1.0/workflows/${name}/order/start?instanceID=a`;
    expect((await rest(server, "POST", path, `"${name}"`)).status).toBe(202);
  }
}

async function inputOf(server: PawlServer, path: string): Promise<unknown> {
  const { json } = await rest(server, "GET", path);
  return JSON.parse(JSON.stringify(json)).properties?.["dapr.workflow.input"];
}

describe("two components side by side", () => {
  test("have data of their own under the same instance id", async () => {
    const server = await startWithTwo();
    await startInEach(server);
    for (const prefix of ["/v1.0", "/v1.0-beta1", "/v1.0-alpha1"]) {
      for (const name of ["dapr", "billing", "shipping"]) {
        expect(await inputOf(server, `${prefix}/workflows/${name}/a`)).toBe(`"${name}"`);
      }
    }
    await rest(server, "POST", "/v1.0/workflows/billing/a/terminate");
    await createClient(WorkflowService, transportTo(server)).waitForInstanceCompletion(
      { instanceId: "a" },
      inBilling,
    );
    const list = await rest(server, "GET", "/v1.0/workflows/billing?status=terminated");
    expect(list.json).toMatchObject({ instances: [{ instanceID: "a" }] });
    const others = await rest(server, "GET", "/v1.0/workflows/shipping?status=terminated");
    expect(others.json).toEqual({ instances: [] });
  });

  test("are chosen in the early form by the header, or where a verb takes a component", async () => {
    const server = await startWithTwo();
    const start = "/v1.0/workflows/order/early/start";
    await rest(server, "POST", start, '"x"', inBilling.headers);
    expect((await rest(server, "GET", "/v1.0/workflows/order/early")).status).toBe(404);
    const path = "/v1.0/workflows/order/early";
    expect((await rest(server, "GET", path, "", inBilling.headers)).status).toBe(200);
    expect((await rest(server, "POST", "/v1.0/workflows/billing/early/suspend")).status).toBe(202);
    const history = await rest(server, "GET", `${path}/history`, "", inBilling.headers);
    expect(history.status).toBe(200);
    expect((await rest(server, "GET", "/v1.0/workflows/billing/early/history")).status).toBe(200);
  });

  test("are chosen by the header in every RPC", async () => {
    const server = await startWithTwo();
    await startInEach(server);
    for (const transport of [transportTo(server), grpcTo(server)]) {
      const workflows = createClient(WorkflowService, transport);
      const { instance } = await workflows.getInstance({ instanceId: "a" }, inBilling);
      expect(instance?.input).toBe('"billing"');
      expect((await workflows.getInstance({ instanceId: "a" })).instance?.input).toBe('"dapr"');
      const hub = createClient(TaskHubSidecarService, transport);
      const request = { instanceId: "a", getInputsAndOutputs: true };
      const { workflowState } = await hub.getInstance(request, inBilling);
      expect(workflowState?.input).toBe('"billing"');
      const nowhere = { headers: { "pawl-component": "nowhere" } };
      await expect(workflows.getInstance({ instanceId: "a" }, nowhere)).rejects.toThrow(
        "[not_found] workflow component 'nowhere' does not exist",
      );
    }
  });

  test("are chosen by the field of Dapr's gRPC methods", async () => {
    const server = await startWithTwo();
    await startInEach(server);
    const dapr = createClient(Dapr, grpcTo(server));
    const get = async (workflowComponent: string, headers = {}) => {
      const reply = await dapr.getWorkflowBeta1(
        { instanceId: "a", workflowComponent },
        { headers },
      );
      return reply.properties["dapr.workflow.input"];
    };
    expect(await get("billing")).toBe('"billing"');
    expect(await get("")).toBe('"dapr"');
    expect(await get("dapr", inBilling.headers)).toBe('"billing"');
    expect(await get("shipping", inBilling.headers)).toBe('"shipping"');
    await expect(get("nowhere")).rejects.toThrow(`[invalid_argument] ${unknown.message}`);
  });

  test("give their work to workers that connected to them, and to no others", async () => {
    const server = await startWithTwo();
    await startInEach(server);
    const hub = createClient(TaskHubSidecarService, grpcTo(server));
    const stop = new AbortController();
    const items = hub.getWorkItems({}, { ...inBilling, signal: stop.signal });
    for await (const { request } of items) {
      if (request.case !== "workflowRequest") throw new Error("a turn was expected");
      expect(JSON.stringify(request.value.newEvents, bigText)).toContain('\\"billing\\"');
      break;
    }
    stop.abort();
  });

  test("show in the metadata and in health", async () => {
    const server = await startWithTwo();
    const { json } = await rest(server, "GET", "/v1.0/metadata");
    const type = "workflow.dapr";
    expect(json).toMatchObject({
      components: [
        { name: "dapr", type, version: "v1" },
        { name: "billing", type, version: "v1" },
        { name: "shipping", type, version: "v1" },
      ],
    });
    const health = createClient(Health, grpcTo(server));
    expect((await health.check({}, inBilling)).status).toBe(1);
    await expect(health.check({}, { headers: { "pawl-component": "nowhere" } })).rejects.toThrow(
      "'nowhere' does not exist",
    );
    expect((await rest(server, "GET", "/v1.0/healthz")).status).toBe(204);
  });
});

describe("a component that does not exist", () => {
  test("is refused where its file may still come", async () => {
    const server = await startServer({ componentsPaths: [await newFolder()] });
    const path = "/v1.0-beta1/workflows/nowhere/order/start";
    const { status, json } = await rest(server, "POST", path);
    expect([status, json]).toEqual([400, unknown]);
  });

  test("is refused in Dapr's words where there are several, and stays a workflow's type early", async () => {
    const server = await startWithTwo();
    for (const path of ["/v1.0-beta1/workflows/nowhere/a", "/v1.0/workflows/nowhere/a/pause"]) {
      const method = path.endsWith("pause") ? "POST" : "GET";
      const { status, json } = await rest(server, method, path);
      expect([status, json]).toEqual([400, unknown]);
    }
    expect((await rest(server, "POST", "/v1.0/workflows/nowhere/b/start")).status).toBe(202);
  });

  test("is the built-in one without a folder of components, and with strictDapr", async () => {
    const single = await startServer();
    const strict = await startWithTwo({ strictDapr: true });
    for (const server of [single, strict]) {
      await server.engine.start({ workflow: "order", instanceId: "a" });
      expect((await rest(server, "GET", "/v1.0-beta1/workflows/nowhere/a")).status).toBe(200);
    }
  });

  test("is refused after the checks of id and name, as in Dapr", async () => {
    const server = await startWithTwo();
    const path = "/v1.0-beta1/workflows/nowhere/order/start?instanceID=a.b";
    expect((await rest(server, "POST", path)).json).toMatchObject({
      errorCode: "ERR_INSTANCE_ID_INVALID",
    });
  });
});

describe("a component's data", () => {
  test("is there after a restart, and is kept when its file goes, and not served", async () => {
    const [folder, dataDir, log] = [await newFolder(), await newFolder(), new KeptLog()];
    const options = { store: "level", dataDir, componentsPaths: [folder] } as const;
    await writeYaml(folder, "billing.yaml", componentYaml("billing"));
    const first = await startServer(options);
    await rest(first, "POST", "/v1.0/workflows/billing/order/start?instanceID=a", '"kept"');
    await first.close();
    const second = await startServer(options);
    expect(await inputOf(second, "/v1.0/workflows/billing/a")).toBe('"kept"');
    await second.close();
    await rm(join(folder, "billing.yaml"));
    const third = await startServer({ ...options, logger: log.logger });
    expect(log.lines).toContainEqual(
      expect.stringMatching(/^warn there is data of a component that no file names.*"billing"/),
    );
    // Neither the built-in component's data, nor a workflow's type.
    for (const path of ["billing/order/start", "billing/a/pause"]) {
      const { status, json } = await rest(third, "POST", `/v1.0/workflows/${path}`);
      expect([status, json]).toEqual([
        400,
        { ...unknown, message: "workflow component 'billing' does not exist" },
      ]);
    }
    await third.close();
    await writeYaml(folder, "billing.yaml", componentYaml("billing"));
    const fourth = await startServer(options);
    expect(await inputOf(fourth, "/v1.0/workflows/billing/a")).toBe('"kept"');
    await fourth.close();
  });
});

function transportTo(server: PawlServer) {
  return createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" });
}

function grpcTo(server: PawlServer) {
  return createGrpcTransport({ baseUrl: server.url });
}

function bigText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
