// SPDX-License-Identifier: Apache-2.0

import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineError, openEngine } from "@pawl/engine";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { backup, restore } from "../src/command/backup.js";
import { verify } from "../src/command/verify.js";
import { createServer, type PawlServer, type ServerOptions } from "../src/index.js";
import { componentYaml, writeYaml } from "./component-folder.js";
import { fakeEngine } from "./fake-engine.js";
import { keepTerminal } from "./terminal.js";
import { createAuthority, createIdentity, writeIdentity } from "./tls/authority.js";

const terminal = keepTerminal();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-backup-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function serve(options: ServerOptions = {}): Promise<PawlServer> {
  const server = await createServer({ port: 0, store: "memory", ...options });
  onTestFinished(() => server.close());
  return server;
}

describe("backup()", () => {
  test("makes a folder of a running server, which restore() makes a data folder of", async () => {
    const server = await serve();
    for (let index = 0; index < 300; index += 1) {
      await server.engine.start({ workflow: "w", instanceId: `a${index}`, input: '"x"' });
    }
    await backup(join(folder, "backup"), { address: server.url, token: "" });
    expect(terminal.complained).toEqual([]);
    expect(terminal.printed.join("")).toContain(
      "300 instances, 0 events, 0 damaged, 0 index faults\n",
    );
    expect(process.exitCode).toBe(0);
    await restore(join(folder, "backup"), join(folder, "restored"), {});
    expect(terminal.complained).toEqual([]);
    const engine = await openEngine({ dataDir: join(folder, "restored") });
    expect((await engine.get("a299"))?.input).toBe('"x"');
    await engine.close();
    expect((await readdir(folder)).sort()).toEqual(["backup", "restored"]);
  });

  test("needs a token with the scope admin where tokens are needed", async () => {
    const { url: address } = await serve({ apiToken: "secret" });
    await backup(join(folder, "backup"), { address, token: "wrong" });
    expect(process.exitCode).toBe(1);
    expect(terminal.complained.join("")).toContain("no backup was made of");
    expect(await readdir(folder)).toEqual([]);
    await backup(join(folder, "backup"), { address, token: "secret" });
    expect(await readdir(folder)).toEqual(["backup"]);
  });

  test("trusts the authority that is named, and shows a certificate where one is asked for", async () => {
    const authority = await createAuthority("Pawl test authority");
    const files = await writeIdentity(await createIdentity(authority, "server"));
    const ca = await files.add("ca.pem", authority.cert);
    const caller = await createIdentity(authority, "operator");
    const cert = await files.add("caller.pem", caller.cert);
    const key = await files.add("caller-key.pem", caller.key);
    const { tlsCertFile, tlsKeyFile } = files;
    const { url: address } = await serve({ tlsCertFile, tlsKeyFile, tlsClientCaFile: ca });
    const target = join(folder, "backup");
    const flags = { address, token: "" };
    for (const lacking of [flags, { ...flags, ca }, { ...flags, cert, key }]) {
      await backup(target, lacking);
      expect(process.exitCode).toBe(1);
      process.exitCode = 0;
    }
    expect(terminal.complained).toHaveLength(3);
    expect(await readdir(folder)).toEqual([]);
    await backup(target, { ...flags, ca, cert, key });
    expect(process.exitCode).toBe(0);
    expect(await readdir(folder)).toEqual(["backup"]);
  });

  test.each([
    ["a certificate without its key", { cert: "a" }, "--cert and --key go together"],
    ["a file that is not there", { ca: "/none/ca.pem" }, "--ca: cannot read /none/ca.pem"],
    ["a file of another form", { ca: import.meta.filename }, "is not in PEM form"],
  ])("says what is wrong with %s", async (_, wrong, reason) => {
    await backup(join(folder, "backup"), { address: "https://localhost:1", token: "", ...wrong });
    expect(terminal.complained.join("")).toContain(reason);
    expect(process.exitCode).toBe(1);
  });

  test("asks for https where it is told of certificates", async () => {
    await backup(join(folder, "backup"), { address: "http://localhost:1", token: "", ca: "a" });
    expect(terminal.complained.join("")).toContain("--ca needs an address with https:");
  });

  test("backs all components up, or one; restore() and verify() know them too", async () => {
    const components = join(folder, "components");
    await mkdir(components);
    await writeYaml(
      components,
      "all.yaml",
      `${componentYaml("billing")}---\n${componentYaml("audit")}`,
    );
    const { url: address } = await serve({ componentsPaths: [components] });
    for (const name of ["dapr", "billing", "billing", "audit", "audit", "audit"]) {
      await fetch(`${address}/v1.0/workflows/${name}/order/start`, { method: "POST" });
    }
    const [whole, restored] = [join(folder, "whole"), join(folder, "restored")];
    await backup(whole, { address, token: "" });
    await restore(whole, restored, {});
    await verify(restored);
    await backup(join(folder, "one"), { address, token: "", component: "billing" });
    const counts = terminal.printed.map((line) =>
      line.replaceAll(folder, "").replace(address, "SERVER"),
    );
    const rest = " instances, 0 events, 0 damaged, 0 index faults\n";
    expect(counts).toEqual([
      `backup of SERVER in /whole: 1${rest}`,
      `component billing: 2${rest}`,
      `component audit: 3${rest}`,
      `/whole restored in /restored: 1${rest}`,
      `component audit: 3${rest}`,
      `component billing: 2${rest}`,
      `1${rest}`,
      `component audit: 3${rest}`,
      `component billing: 2${rest}`,
      `backup of SERVER in /one: 2${rest}`,
    ]);
    const server = await serve({
      store: "level",
      dataDir: restored,
      componentsPaths: [components],
    });
    const list = await fetch(`${server.url}/v1.0/workflows/audit`).then((answer) => answer.json());
    expect(list.instances).toHaveLength(3);
    await server.close();
    await rm(join(restored, "components", "audit", "db"), { recursive: true });
    await verify(restored);
    expect(process.exitCode).toBe(1);
    expect(terminal.complained).toEqual([
      expect.stringMatching(/^pawl: .*components.audit is damaged/),
    ]);
  });

  test("leaves nothing when the server fails amid it", async () => {
    async function* failing(): AsyncGenerator<never> {
      yield await Promise.reject(new EngineError("STORE_UNAVAILABLE", "the disk is full"));
    }
    const { url: address } = await serve({ engine: fakeEngine({ backup: failing }) });
    await backup(join(folder, "backup"), { address, token: "" });
    expect(process.exitCode).toBe(1);
    expect(terminal.complained.join("")).toMatch(
      /^pawl: no backup was made of .*: the disk is full\n$/,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test("says so when nobody answers", async () => {
    const server = await createServer({ port: 0, store: "memory" });
    await server.close();
    await backup(join(folder, "backup"), { address: server.url, token: "" });
    expect(process.exitCode).toBe(1);
    expect(terminal.complained.join("").split("\n")).toHaveLength(2);
    expect(await readdir(folder)).toEqual([]);
  });

  test("does not take the place of anything", async () => {
    const { url: address } = await serve();
    const target = join(folder, "backup");
    await backup(target, { address, token: "" });
    await backup(target, { address, token: "" });
    expect(process.exitCode).toBe(1);
    expect(terminal.complained.join("")).toContain("is not empty");
    await restore(target, target, {});
    expect(process.exitCode).toBe(1);
  });
});
