// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createServer } from "../src/index.js";

const program = new URL("../bin/pawl.js", import.meta.url).pathname;

/** A `pawl serve` process, with what it has printed so far. */
interface Program {
  readonly process: ChildProcess;
  stdout: string;
  stderr: string;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

let folder = "";
const started: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-serve-"));
});

afterEach(async () => {
  for (const process of started.splice(0)) {
    process.kill("SIGKILL");
  }
  await rm(folder, { recursive: true, force: true });
});

function run(...flags: string[]): Program {
  const child = spawn(process.execPath, [program, "serve", ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  const ended = once(child, "close").then(([code]) => code as number | null);
  const result: Program = { process: child, stdout: "", stderr: "", ended };
  child.stdout.on("data", (chunk) => {
    result.stdout += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    result.stderr += String(chunk);
  });
  return result;
}

/** Waits for the ready line; gives the server's address. */
async function ready(program: Program): Promise<string> {
  while (!program.stdout.includes("\n")) {
    const ended = program.ended.then((code) => {
      throw new Error(`ended with ${code}: ${program.stderr}`);
    });
    await Promise.race([once(program.process.stdout ?? program.process, "data"), ended]);
  }
  const url = /^pawl ready on (http:\S+)\n$/.exec(program.stdout)?.[1];
  expect(url).toBeDefined();
  return url ?? "";
}

describe("pawl serve", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("ends with code 0 at %s", async (signal) => {
    const server = run("--port=0", "--grpc-port=0", "--store=memory");
    const url = await ready(server);
    expect((await fetch(`${url}/v1.0/healthz`)).status).toBe(204);

    server.process.kill(signal);

    expect(await server.ended).toBe(0);
  });

  test("goes on with what its data folder has", async () => {
    const flags = ["--port=0", "--grpc-port=0", "--data", folder];
    const first = run(...flags);
    const path = "/v1.0/workflows/dapr/order";
    await fetch(`${await ready(first)}${path}/start?instanceID=a`, { method: "POST", body: "1" });
    first.process.kill("SIGKILL");
    await first.ended;

    const url = await ready(run(...flags));

    const instance = await (await fetch(`${url}/v1.0/workflows/dapr/a`)).json();
    expect(instance).toMatchObject({ instanceID: "a", workflowName: "order" });
  });

  test("says in one line that a port is in use", async () => {
    const other = await createServer({ port: 0, store: "memory" });
    try {
      const program = run("--port", String(other.port), "--grpc-port=0", "--store=memory");

      expect(await program.ended).toBe(1);
      expect(program.stderr).toBe(
        `pawl: port ${other.port} of 127.0.0.1 is already in use; choose another with --port\n`,
      );
      expect(program.stdout).toBe("");
    } finally {
      await other.close();
    }
  });

  test("says in one line who has the data folder", async () => {
    const flags = ["--port=0", "--grpc-port=0", "--data", folder];
    const first = run(...flags);
    await ready(first);

    const second = run(...flags);

    expect(await second.ended).toBe(1);
    expect(second.stderr).toMatch(/^pawl: .+\n$/);
    expect(second.stderr).toContain(folder);
    expect(second.stderr).toContain(String(first.process.pid));
  });

  test("says in one line which flag is wrong", async () => {
    const program = run("--prot");

    expect(await program.ended).not.toBe(0);
    expect(program.stderr).toBe("error: unknown option '--prot' (Did you mean --port?)\n");
  });
});
