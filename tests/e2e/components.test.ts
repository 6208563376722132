// SPDX-License-Identifier: Apache-2.0

import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { activity, type Client, createClient, createWorker, workflow } from "@pawl/client";
import { expect, onTestFinished, test, vi } from "vitest";
import { findPlace, makeFolder, ServerProcess, useServer } from "./server-process.js";

const yaml = (name: string): string => `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: ${name}
spec:
  type: workflow.dapr
  version: v1
`;

/** Puts a file in place whole: the server follows the folder. */
async function put(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

/** A worker of one component, whose results say which, and its client. */
async function connect(baseUrl: string, component?: string): Promise<Client> {
  const options = component === undefined ? { baseUrl } : { baseUrl, component };
  const client = createClient(options);
  const name = activity("name", () => component ?? "built-in");
  const order = workflow("order", async (context) => context.activity(name));
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const worker = createWorker({ client, workflows: [order], activities: [name], logger });
  void worker.start();
  onTestFinished(async () => {
    await worker.stop();
    client.close();
  });
  return client;
}

test("clients and workers of two components share a server and nothing else", async () => {
  const [place, folder] = [await findPlace(), join(await makeFolder(), "components")];
  await mkdir(folder);
  await writeFile(join(folder, "billing.yaml"), yaml("billing"));
  const flags = ["--components-path", folder];
  const server = await useServer("server", place, flags);
  const [billing, builtIn] = [
    await connect(server.url, "billing"),
    await connect(server.url, undefined),
  ];
  // So many at once that they travel on a stream of calls.
  const ids = Array.from({ length: 100 }, (_, index) => `a${index}`);
  const resultsOf = (client: Client): Promise<unknown[]> =>
    Promise.all(
      ids.map(async (instanceId) => {
        await client.start("order", undefined, { instanceId });
        return (await client.waitForCompletion(instanceId)).output;
      }),
    );
  const results = await Promise.all([resultsOf(billing), resultsOf(builtIn)]);
  expect(results.map((each) => new Set(each))).toEqual([
    new Set(["billing"]),
    new Set(["built-in"]),
  ]);

  const ending = await server.stop("SIGKILL");
  expect(ending.signal).toBe("SIGKILL");
  const again = await useServer("server", place, flags);
  expect((await billing.get("a99"))?.output).toBe("billing");
  await expect(createAbsent(again.url).get("a1")).rejects.toMatchObject({
    code: "COMPONENT_NOT_FOUND",
  });
});

test("a worker waits for a component whose file comes later, or goes and comes back", async () => {
  const folder = await makeFolder();
  const server = await useServer("server", undefined, ["--components-path", folder]);
  const client = await connect(server.url, "late");
  await expect(client.get("a")).rejects.toMatchObject({ code: "COMPONENT_NOT_FOUND" });
  await put(join(folder, "late.yml"), yaml("late"));
  await vi.waitFor(() => client.start("order", undefined, { instanceId: "a" }), 60_000);
  expect((await client.waitForCompletion("a")).output).toBe("late");

  await rm(join(folder, "late.yml"));
  await vi.waitFor(
    () => expect(client.get("a")).rejects.toMatchObject({ code: "COMPONENT_NOT_FOUND" }),
    60_000,
  );
  await put(join(folder, "late.yml"), yaml("late"));
  await vi.waitFor(() => client.start("order", undefined, { instanceId: "b" }), 60_000);
  expect((await client.waitForCompletion("b")).output).toBe("late");
});

test("a mistake in a file is one line, and the server does not start", async () => {
  const folder = await makeFolder();
  await writeFile(join(folder, "bad.yaml"), yaml("bad").replace("dapr\n", "temporal\n"));
  const place = await findPlace();
  const started = ServerProcess.start("server", place, ["--components-path", folder]);
  await expect(started).rejects.toThrow(
    `pawl: ${join(folder, "bad.yaml")}:6: spec.type: workflow.temporal is not a type that Pawl has: workflow.dapr is\n`,
  );
});

function createAbsent(baseUrl: string): Client {
  const client = createClient({ baseUrl, component: "absent" });
  onTestFinished(() => client.close());
  return client;
}
