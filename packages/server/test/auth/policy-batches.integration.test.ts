// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { BatchAction, BatchService } from "@pawl/protocol";
import { expect, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { startServer } from "../test-server.js";

test("a batch is for those who may do its command on every workflow that it may meet", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pawl-policy-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [tokensFile, policyFile] = [join(folder, "tokens.yaml"), join(folder, "policy.yaml")];
  const tokens = ["alice", "bob"].map((name) => {
    return { name, token: `the-token-of-${name}-alone`, scopes: ["admin"] };
  });
  const rules = [
    { callers: ["token:alice"], operations: ["admin"], workflows: ["*"] },
    { callers: ["token:bob"], operations: ["admin"], workflows: ["order*"] },
  ];
  await writeFile(tokensFile, stringify({ tokens }));
  await writeFile(policyFile, stringify({ rules }));
  const server = await startServer({ tokensFile, policyFile });
  await server.engine.start({ workflow: "billing", instanceId: "b" });
  await server.engine.start({ workflow: "order", instanceId: "o" });
  const client = createClient(
    BatchService,
    createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" }),
  );
  const as = (name: string) => ({
    headers: { "dapr-api-token": `the-token-of-${name}-alone` },
  });
  const action = BatchAction.SUSPEND;

  const all = { action, allInstances: true, batchId: "all" };
  await expect(client.startBatch(all, as("bob"))).rejects.toThrow("permission_denied");
  const billing = { action, filter: { workflow: "billing" } };
  await expect(client.startBatch(billing, as("bob"))).rejects.toThrow("not_found");
  const { batch } = await client.startBatch({ action, filter: { workflow: "order" } }, as("bob"));
  expect(batch?.batchId).not.toBe("");

  await client.startBatch(all, as("alice"));
  await expect(client.getBatch({ batchId: "all" }, as("bob"))).rejects.toThrow("not_found");
  await expect(client.cancelBatch({ batchId: "all" }, as("bob"))).rejects.toThrow("not_found");
  expect((await client.listBatches({}, as("bob"))).batches).toHaveLength(1);
  expect((await client.listBatches({}, as("alice"))).batches).toHaveLength(2);
});
