// SPDX-License-Identifier: Apache-2.0

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { AdminService, WorkflowService } from "@pawl/protocol";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import type { PawlServer } from "../../src/index.js";
import { componentYaml, newFolder, writeYaml } from "../component-folder.js";
import { rest, startServer } from "../test-server.js";

const token = "alice-alice-alice";
const alice = { "dapr-api-token": token };
const rules = (components?: string[]): string => {
  const rule = { callers: ["token:alice"], operations: ["admin"], workflows: ["*"] };
  return stringify({ rules: [components === undefined ? rule : { ...rule, components }] });
};

let server: PawlServer;
let policyFile: string;

async function serve(policy: string): Promise<void> {
  const folder = await newFolder();
  policyFile = join(folder, "policy.txt");
  const tokensFile = join(folder, "tokens.txt");
  await writeFile(policyFile, policy);
  await writeFile(tokensFile, stringify({ tokens: [{ name: "alice", token, scopes: ["admin"] }] }));
  await writeYaml(folder, "billing.yaml", componentYaml("billing"));
  server = await startServer({
    componentsPaths: [folder],
    policyFile,
    tokensFile,
    reloadIntervalMs: 20,
  });
}

const startIn = (component: string): ReturnType<typeof rest> =>
  rest(server, "POST", `/v1.0/workflows/${component}/order/start?instanceID=a`, '"x"', alice);
const getIn = (component: string): ReturnType<typeof rest> =>
  rest(server, "GET", `/v1.0/workflows/${component}/a`, "", alice);

describe("a policy with rules of one component", () => {
  beforeEach(() => serve(rules(["bill*"])));

  test("lets its callers into that one, and shows them nothing of another", async () => {
    expect((await startIn("billing")).status).toBe(202);
    expect((await getIn("billing")).status).toBe(200);
    await server.engine.start({ workflow: "order", instanceId: "a" });
    expect((await getIn("dapr")).status).toBe(404);
    expect((await startIn("dapr")).json).toMatchObject({
      errorCode: "ERR_START_WORKFLOW",
      message: expect.stringContaining('no workflow has the name "order"'),
    });
    const workflows = createClient(WorkflowService, createGrpcTransport({ baseUrl: server.url }));
    expect((await workflows.listInstances({}, { headers: alice })).instances).toEqual([]);
    const headers = { ...alice, "pawl-component": "billing" };
    expect((await workflows.listInstances({}, { headers })).instances).toHaveLength(1);
  });

  test("lets its callers back up that one alone", async () => {
    const admin = createClient(AdminService, createGrpcTransport({ baseUrl: server.url }));
    const parts = async (headers: Record<string, string>): Promise<number> => {
      let count = 0;
      for await (const _ of admin.backup({}, { headers })) count += 1;
      return count;
    };
    expect(await parts({ ...alice, "pawl-component": "billing" })).toBeGreaterThan(1);
    await expect(parts(alice)).rejects.toMatchObject({ code: Code.PermissionDenied });
  });

  test("is for other components when the file changes", async () => {
    expect((await startIn("dapr")).status).toBe(404);
    await writeFile(policyFile, rules(["dapr"]));
    await vi.waitFor(async () => expect((await startIn("dapr")).status).toBe(202), 20_000);
    expect((await startIn("billing")).status).toBe(404);
  });
});

test("a rule that names no components is for all", async () => {
  await serve(rules());
  expect((await startIn("dapr")).status).toBe(202);
  expect((await startIn("billing")).status).toBe(202);
});

test("who has no token does not learn which components there are", async () => {
  await serve(rules());
  for (const component of ["billing", "nowhere"]) {
    const path = `/v1.0-beta1/workflows/${component}/a`;
    expect((await rest(server, "GET", path)).status).toBe(401);
    const headers = { "pawl-component": component };
    expect((await rest(server, "GET", "/v1.0/workflows/order/a", "", headers)).status).toBe(401);
  }
});
