// SPDX-License-Identifier: Apache-2.0

import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { openEngine } from "@pawl/engine";
import { TaskHubSidecarService, WaitReason, WorkflowService } from "@pawl/protocol";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createServer, type PawlServer, type ServerOptions } from "../src/index.js";
import { componentYaml, KeptLog, newFolder, writeYaml } from "./component-folder.js";
import { rest, startServer } from "./test-server.js";

/** A busy machine takes its time to follow a file. */
const busy = { timeout: 20_000 };

let folder: string;
let log: KeptLog;

beforeEach(async () => {
  folder = await newFolder();
  log = new KeptLog();
});

afterEach(() => {
  vi.unstubAllEnvs();
});

function start(options: ServerOptions = {}): Promise<PawlServer> {
  const { logger } = log;
  return startServer({ componentsPaths: [folder], logger, reloadIntervalMs: 20, ...options });
}

async function startIn(server: PawlServer, component: string, id = "a"): Promise<number> {
  const path = `/v1.0-beta1/workflows/${component}/order/start?instanceID=${id}`;
  return (await rest(server, "POST", path, '"x"')).status;
}

/** A loopback port that nobody listens on. */
async function findFreePort(): Promise<number> {
  const server = await createServer({ port: 0, store: "memory" });
  await server.close();
  return server.port;
}

/** Whether a limit holds the turn of `b` back. */
async function isHeldBack(server: PawlServer, component: string): Promise<boolean> {
  const workflows = createClient(WorkflowService, createGrpcTransport({ baseUrl: server.url }));
  const headers = { "pawl-component": component };
  const { explanation } = await workflows.explainInstance({ instanceId: "b" }, { headers });
  return explanation?.turnWaitsFor === WaitReason.LIMIT;
}

/** A worker of a component that takes a turn of `a`, and keeps it. */
async function holdTurn(server: PawlServer, component: string): Promise<() => void> {
  const stop = new AbortController();
  const hub = createClient(TaskHubSidecarService, createGrpcTransport({ baseUrl: server.url }));
  const headers = { "pawl-component": component };
  const items = hub.getWorkItems({}, { headers, signal: stop.signal })[Symbol.asyncIterator]();
  await items.next();
  return () => stop.abort();
}

describe("files of components, while the server runs", () => {
  test("a new one is opened, one that goes is closed with its workers, and comes back", async () => {
    const server = await start();
    await writeYaml(folder, "billing.yaml", componentYaml("billing"));
    await log.line('component opened {"component":"billing"');
    expect(await startIn(server, "billing")).toBe(202);
    const hub = createClient(TaskHubSidecarService, createGrpcTransport({ baseUrl: server.url }));
    const headers = { "pawl-component": "billing" };
    const items = hub.getWorkItems({}, { headers })[Symbol.asyncIterator]();
    expect((await items.next()).value?.request.case).toBe("workflowRequest");
    await rm(join(folder, "billing.yaml"));
    // A server that stops serving ends the stream with OK: workers connect again.
    expect((await items.next()).done).toBe(true);
    await log.line("component no longer served; its data was in memory");
    expect(await startIn(server, "billing")).toBe(400);
    expect((await rest(server, "GET", "/v1.0/healthz")).status).toBe(204);
    await writeYaml(folder, "billing.yaml", componentYaml("billing"));
    await vi.waitFor(async () => expect(await startIn(server, "billing", "b")).toBe(202), busy);
  });

  test("limits hold at once", async () => {
    await writeYaml(folder, "billing.yaml", componentYaml("billing", { maxTurns: "1" }));
    const server = await start();
    await startIn(server, "billing", "a");
    const stop = await holdTurn(server, "billing");
    await startIn(server, "billing", "b");
    expect(await isHeldBack(server, "billing")).toBe(true);
    await writeYaml(folder, "billing.yaml", componentYaml("billing", { maxTurns: "2" }));
    await log.line('component changed {"component":"billing"}');
    expect(await isHeldBack(server, "billing")).toBe(false);
    stop();
  });

  test("one with a mistake changes nothing, and the log names file, line and field", async () => {
    await writeYaml(folder, "billing.yaml", componentYaml("billing"));
    const server = await start();
    await writeYaml(folder, "billing.yaml", componentYaml("billing", { maxTurns: "many" }));
    const line = await log.line("components not reloaded; the old ones stay");
    expect(line).toContain("billing.yaml:10: spec.metadata[0].value: ");
    expect(await startIn(server, "billing")).toBe(202);
    await rename(folder, join(await newFolder(), "moved"));
    await log.line("--components-path: cannot read it: ENOENT");
    expect(await startIn(server, "billing", "b")).toBe(202);
  });

  test("one with a mistake that is to be ignored stays as it was, too", async () => {
    const yaml = componentYaml("billing").replace("spec:\n", "spec:\n  ignoreErrors: true\n");
    await writeYaml(folder, "billing.yaml", yaml);
    const server = await start();
    await writeYaml(folder, "billing.yaml", yaml.replace("workflow.dapr", "workflow.temporal"));
    await log.line('"billing" is ignored');
    await writeYaml(folder, "other.yaml", componentYaml("other"));
    await log.line('component opened {"component":"other"');
    expect(await startIn(server, "billing")).toBe(202);
  });

  test("another place for the data waits for a restart, and the log says so", async () => {
    const dataDir = await newFolder();
    const options = { store: "level", dataDir } as const;
    await writeYaml(folder, "billing.yaml", componentYaml("billing"));
    const server = await start(options);
    await startIn(server, "billing");
    const elsewhere = await newFolder();
    await writeYaml(folder, "billing.yaml", componentYaml("billing", { dataDir: elsewhere }));
    const line = await log.line("changes at the next start of the server");
    expect(line).toContain(`"newDataDir":${JSON.stringify(elsewhere)}`);
    expect((await rest(server, "GET", "/v1.0/workflows/billing/a")).status).toBe(200);
    await server.close();
    const next = await start(options);
    expect((await rest(next, "GET", "/v1.0/workflows/billing/a")).status).toBe(404);
  });

  test("two with one folder are refused, at the start and later", async () => {
    const dataDir = join(await newFolder(), "d");
    await writeYaml(folder, "a.yaml", componentYaml("billing", { dataDir }));
    await writeYaml(folder, "b.yaml", componentYaml("shipping", { dataDir }));
    const refusal = `b.yaml:4: dataDir: ${dataDir} is the folder of the component of ${join(folder, "a.yaml")}:4`;
    await expect(
      createServer({ port: 0, store: "memory", componentsPaths: [folder] }),
    ).rejects.toThrow(refusal);
    await rename(join(folder, "b.yaml"), join(folder, "b.off"));
    const server = await start();
    await rename(join(folder, "b.off"), join(folder, "b.yaml"));
    expect(await log.line("components not reloaded")).toContain(
      JSON.stringify(refusal).slice(1, -1),
    );
    expect(await startIn(server, "billing")).toBe(202);
    await server.close();
  });

  test("one whose folder is within another's, or around it, is refused", async () => {
    const dataDir = await newFolder();
    const billing = join(dataDir, "components", "billing");
    const options = { store: "level", dataDir } as const;
    await writeYaml(folder, "a.yaml", componentYaml("billing", { dataDir: billing }));
    const server = await start(options);
    const refusals = [
      [join(billing, "inner"), "is within the folder of the built-in component"],
      [join(dataDir, "db"), "is within the folder of the built-in component"],
      [dirname(dataDir), "is around the folder of the built-in component"],
    ];
    for (const [place = "", refusal = ""] of refusals) {
      await writeYaml(folder, "b.yaml", componentYaml("shipping", { dataDir: place }));
      expect(await log.line(`b.yaml:4: dataDir: ${place} ${refusal}`)).toContain("not reloaded");
    }
    await server.close();
  });

  test("links hide no folder that is another's", async () => {
    const [outer, links] = [await newFolder(), await newFolder()];
    await symlink(outer, join(links, "link"));
    await writeYaml(folder, "a.yaml", componentYaml("billing", { dataDir: join(outer, "d") }));
    const refusals = [
      [join(links, "link", "d"), "is the folder"],
      [join(links, "link", "d", "e"), "is within the folder"],
      [join(links, "link"), "is around the folder"],
    ];
    for (const [place = "", relation = ""] of refusals) {
      await writeYaml(folder, "b.yaml", componentYaml("shipping", { dataDir: place }));
      const refusal = `b.yaml:4: dataDir: ${place} ${relation} of the component of ${join(folder, "a.yaml")}:4`;
      await expect(start()).rejects.toThrow(refusal);
    }
  });

  test("one whose folder is in use stops the start, unless its errors are to be ignored", async () => {
    const dataDir = await newFolder();
    const holder = await openEngine({ dataDir });
    const yaml = componentYaml("billing", { dataDir });
    await writeYaml(folder, "billing.yaml", yaml);
    await expect(start()).rejects.toMatchObject({ code: "STORE_LOCKED" });
    await writeYaml(
      folder,
      "billing.yaml",
      yaml.replace("spec:\n", "spec:\n  ignoreErrors: true\n"),
    );
    const server = await start();
    expect(await startIn(server, "billing")).toBe(400);
    expect(await startIn(server, "dapr")).toBe(202);
    await holder.close();
    // It is tried again, without a change of any file.
    await log.line('component opened {"component":"billing"');
    expect(await startIn(server, "billing")).toBe(202);
    await server.close();
  });
});

describe("the folder that need not be there", () => {
  test("is taken up when it comes, and is missed when it goes", async () => {
    const later = join(folder, "later");
    const options = { componentsPaths: [], defaultComponentsPath: later };
    const server = await start(options);
    expect(await startIn(server, "anything")).toBe(202);
    await mkdir(`${later}.new`);
    await writeYaml(`${later}.new`, "billing.yaml", componentYaml("billing"));
    await rename(`${later}.new`, later);
    await log.line('component opened {"component":"billing"');
    await log.line("components reloaded");
    expect(await startIn(server, "billing")).toBe(202);
    expect(await startIn(server, "anything", "b")).toBe(400);
    await rename(later, `${later}.old`);
    await log.line("--components-path: cannot read it: ENOENT");
    expect(await startIn(server, "billing", "b")).toBe(202);
    await server.close();
    await start(options);
  });

  test("is not looked for where others are named", async () => {
    const named = join(folder, "named");
    await mkdir(named);
    await writeYaml(folder, "billing.yaml", componentYaml("billing"));
    const server = await start({ componentsPaths: [named], defaultComponentsPath: folder });
    expect(await startIn(server, "billing")).toBe(400);
  });
});

describe("a port of its own", () => {
  const at = (port: number): PawlServer =>
    ({ port, url: `http://127.0.0.1:${port}` }) as PawlServer;

  test("means the component where a call names none, or dapr, and any other by its name", async () => {
    const port = await findFreePort();
    await writeYaml(folder, "billing.yaml", componentYaml("billing", { port: String(port) }));
    const server = await start();
    const own = at(port);
    await startIn(own, "dapr", "own");
    expect((await rest(server, "GET", "/v1.0/workflows/billing/own")).status).toBe(200);
    expect((await rest(server, "GET", "/v1.0/workflows/dapr/own")).status).toBe(404);
    for (const path of ["dapr/own", "billing/own", "order/own"]) {
      expect((await rest(own, "GET", `/v1.0/workflows/${path}`)).status).toBe(200);
    }
    const inDapr = { "pawl-component": "dapr" };
    expect((await rest(own, "GET", "/v1.0/workflows/dapr/own", "", inDapr)).status).toBe(404);
    const grpc = createGrpcTransport({ baseUrl: own.url });
    const { exists } = await createClient(TaskHubSidecarService, grpc).getInstance({
      instanceId: "own",
    });
    expect(exists).toBe(true);
    const http1 = createConnectTransport({ baseUrl: own.url, httpVersion: "1.1" });
    const request = { instanceId: "own" };
    expect(
      (await createClient(WorkflowService, http1).getInstance(request)).instance,
    ).toBeDefined();
  });

  test("opens, moves and closes with the file, and what was connected goes nowhere else", async () => {
    const [first, second] = [await findFreePort(), await findFreePort()];
    await writeYaml(folder, "billing.yaml", componentYaml("billing"));
    const server = await start();
    await writeYaml(folder, "billing.yaml", componentYaml("billing", { port: String(first) }));
    await vi.waitFor(async () => expect(await startIn(at(first), "dapr", "a")).toBe(202), busy);
    const transport = createGrpcTransport({ baseUrl: at(first).url });
    const connected = createClient(WorkflowService, transport);
    await connected.startInstance({ workflow: "order", instanceId: "connected" });
    await writeYaml(folder, "billing.yaml", componentYaml("billing", { port: String(second) }));
    await vi.waitFor(async () => expect(await startIn(at(second), "dapr", "b")).toBe(202), busy);
    await expect(startIn(at(first), "dapr", "c")).rejects.toThrow("ECONNREFUSED");
    await expect(connected.startInstance({ workflow: "order" })).rejects.toThrow("ECONNREFUSED");
    await rm(join(folder, "billing.yaml"));
    const closed = () => expect(startIn(at(second), "dapr", "d")).rejects.toThrow("ECONNREFUSED");
    await vi.waitFor(closed, busy);
    const { json } = await rest(server, "GET", "/v1.0/workflows/dapr");
    expect(json).toEqual({ instances: [] });
  });

  test("that is taken stops the start, and is logged later", async () => {
    const other = await startServer();
    const yaml = componentYaml("billing", { port: String(other.port) });
    await writeYaml(folder, "billing.yaml", yaml);
    const refusal = `the port ${other.port} of the component "billing" cannot be opened: listen EADDRINUSE`;
    await expect(start()).rejects.toThrow(refusal);
    await writeYaml(folder, "billing.yaml", componentYaml("billing"));
    const server = await start();
    await writeYaml(folder, "billing.yaml", yaml);
    await log.line(refusal);
    expect(await startIn(server, "billing")).toBe(202);
  });
});

describe("Dapr's Configuration", () => {
  const yaml = (limit: number): string =>
    `apiVersion: dapr.io/v1alpha1\nkind: Configuration\nspec:\n  tracing: {}\n  workflow:\n    maxConcurrentWorkflowInvocations: ${limit}\n`;

  test("limits every component, changes at once, and yields to a component's own file", async () => {
    const config = join(folder, "config.yml.txt");
    await writeFile(config, yaml(1));
    const files = ["billing", "shipping", "audit"].map((name, index) =>
      componentYaml(name, index === 2 ? { maxTurns: "3" } : {}),
    );
    await writeYaml(folder, "all.yaml", files.join("---\n"));
    const server = await start({ configFiles: [config] });
    const stops: (() => void)[] = [];
    for (const name of ["dapr", "billing", "shipping", "audit"]) {
      await startIn(server, name, "a");
      stops.push(await holdTurn(server, name));
      await startIn(server, name, "b");
    }
    const held = () =>
      Promise.all(["dapr", "billing", "shipping", "audit"].map((name) => isHeldBack(server, name)));
    expect(await held()).toEqual([true, true, true, false]);
    await writeFile(config, yaml(2));
    await log.line("configuration reloaded");
    expect(await held()).toEqual([false, false, false, false]);
    await writeFile(config, yaml(2).replace("2", "two"));
    expect(await log.line("configuration not reloaded")).toContain(
      "config.yml.txt:6: spec.workflow.maxConcurrentWorkflowInvocations: must be a whole number",
    );
    // Named once, however often the file is read.
    expect(log.lines.filter((line) => line.includes("spec.tracing"))).toHaveLength(1);
    for (const stop of stops) stop();
  });
});

describe("secrets of components", () => {
  test("are taken up when their file changes, and are in no log line", async () => {
    vi.stubEnv("PAWL_TEST_ACTIVITIES", "5555");
    const secretsFile = join(folder, "secrets.json");
    await writeFile(secretsFile, '{"turns": "7777"}');
    const store = [
      "apiVersion: dapr.io/v1alpha1",
      "kind: Component",
      "metadata: {name: secrets}",
      `spec: {type: secretstores.local.file, metadata: [{name: secretsFile, value: ${JSON.stringify(secretsFile)}}]}`,
      "---\n",
    ].join("\n");
    const component = `${componentYaml("billing")}  metadata:
    - {name: maxTurns, secretKeyRef: {name: turns}}
    - {name: maxActivities, envRef: PAWL_TEST_ACTIVITIES}
auth: {secretStore: secrets}
`;
    await writeYaml(folder, "billing.yaml", store + component);
    const server = await start();
    expect(await startIn(server, "billing")).toBe(202);
    await writeFile(secretsFile, '{"turns": "8888x"}');
    expect(await log.line("components not reloaded")).toContain(
      "billing.yaml:14: spec.metadata[0].secretKeyRef: the value that is kept there is not good for maxTurns",
    );
    await writeFile(secretsFile, '{"turns": "9999"}');
    await log.line('component changed {"component":"billing"}');
    await server.close();
    expect(log.lines.join("\n")).not.toMatch(/7777|8888|9999|5555/);
  });
});
