// SPDX-License-Identifier: Apache-2.0

// What `--strict-dapr` undoes.

import { EngineError } from "@pawl/engine";
import { limits } from "@pawl/protocol";
import { Command } from "commander";
import { afterEach, describe, expect, test, vi } from "vitest";
import { addServeFlags, parseServeFlags } from "../src/flags.js";
import type { ServedEngine } from "../src/options.js";
import { fakeEngine, fakeInstance } from "./fake-engine.js";
import { startServer } from "./test-server.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

/** The base of a strict REST API, with a worker: without one there are waits. */
async function startStrict(methods: Partial<ServedEngine> = {}): Promise<string> {
  const engine = fakeEngine({ workerCount: () => 1, ...methods });
  return (await startServer({ engine, strictDapr: true })).url;
}

describe("with strictDapr", () => {
  test("a start has none of our headers", async () => {
    const start = async () => ({ instanceId: "a", executionId: "e" });
    const url = await startStrict({ start });

    const answer = await fetch(`${url}/v1.0/workflows/dapr/order/start`, { method: "POST" });

    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({ instanceID: "a" });
    expect([answer.headers.get("location"), answer.headers.get("retry-after")]).toEqual([
      null,
      null,
    ]);
  });

  test("a pending instance shows nothing but its id", async () => {
    const instance = fakeInstance({ status: "pending", input: "1" });
    const url = await startStrict({ get: async () => instance });

    const answer = await fetch(`${url}/v1.0/workflows/dapr/a`);

    expect(await answer.json()).toEqual({
      instanceID: "a",
      createdAt: "0001-01-01T00:00:00Z",
      lastUpdatedAt: "0001-01-01T00:00:00Z",
      runtimeStatus: "PENDING",
    });
  });

  test("a stalled instance shows UNKNOWN", async () => {
    const instance = fakeInstance({ status: "stalled" });
    const url = await startStrict({ get: async () => instance });

    const answer = await fetch(`${url}/v1.0/workflows/dapr/a`);

    expect(await answer.json()).toMatchObject({ runtimeStatus: "UNKNOWN" });
  });

  test.each(["RESOURCE_EXHAUSTED", "STORE_UNAVAILABLE", "SHUTTING_DOWN"] as const)(
    "%s is a failure like any other",
    async (code) => {
      const refuse = async (): Promise<never> => {
        throw new EngineError(code, "not now");
      };
      const url = await startStrict({ start: refuse, get: refuse, terminate: refuse });
      const paths = [
        ["POST", "order/start"],
        ["GET", "a"],
        ["POST", "a/terminate"],
      ] as const;
      for (const [method, path] of paths) {
        const answer = await fetch(`${url}/v1.0/workflows/dapr/${path}`, { method });
        expect(answer.status).toBe(500);
        expect(await answer.json()).toMatchObject({
          message: expect.stringMatching(/: not now$/),
        });
      }
    },
  );

  test("a stalled instance takes no event", async () => {
    const instance = fakeInstance({ status: "stalled" });
    const url = await startStrict({ get: async () => instance });

    const answer = await fetch(`${url}/v1.0/workflows/dapr/a/raiseEvent/e`, { method: "POST" });

    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({
      errorCode: "ERR_RAISE_EVENT_WORKFLOW",
      message: expect.stringMatching(/: workflow is stalled$/),
    });
  });

  test.each([
    ["order/start", "start"],
    ["a/raiseEvent/e", "raiseEvent"],
    ["a/pause", "suspend"],
  ] as const)("a body of %s may be one byte larger than the limit", async (path, method) => {
    const url = await startStrict({
      get: async () => undefined,
      [method]: async () => ({ instanceId: "a", executionId: "e" }),
    });
    const post = async (sizeBytes: number): Promise<number> => {
      const body = `{}${" ".repeat(sizeBytes - 2)}`;
      return (await fetch(`${url}/v1.0/workflows/dapr/${path}`, { method: "POST", body })).status;
    };

    expect(await post(limits.requestBytes + 1)).toBe(202);
    expect(await post(limits.requestBytes + 2)).toBe(400);
  });

  test("any first segment is a component", async () => {
    const started: unknown[] = [];
    const url = await startStrict({
      async start(command) {
        started.push(command);
        return { instanceId: "a", executionId: "e" };
      },
    });

    await fetch(`${url}/v1.0/workflows/x/order/start?instanceID=a`, { method: "POST" });

    expect(started).toEqual([{ workflow: "order", instanceId: "a", input: "" }]);
  });

  test.each([
    ["DELETE", "order/a"],
    ["POST", "order/a/suspend"],
    ["POST", "dapr/a/suspend"],
    ["POST", "order/a/raiseEvent?eventName=e"],
  ])("the early form is not there: %s %s", async (method, path) => {
    const url = await startStrict();

    const answer = await fetch(`${url}/v1.0/workflows/${path}`, { method });

    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ errorCode: "ERR_DIRECT_INVOKE" });
  });
});

describe("--strict-dapr", () => {
  function parse(...flags: string[]): boolean | undefined {
    const command = addServeFlags(new Command("serve")).exitOverride();
    command.configureOutput({ writeErr: () => {} });
    command.parse(flags, { from: "user" });
    return parseServeFlags(command).strictDapr;
  }

  test.each([
    [[], undefined],
    [["--strict-dapr"], true],
    [["--strict-dapr", "--port=1"], true],
    [["--strict-dapr=false"], false],
  ])("is read from the command line: %j", (flags, strict) => {
    expect(parse(...flags)).toBe(strict);
  });

  test.each([
    ["true", true],
    ["1", true],
    ["false", false],
    ["0", false],
    ["", false],
  ])("is read from the environment: %j", (value, strict) => {
    vi.stubEnv("PAWL_STRICT_DAPR", value);

    expect(parse()).toBe(strict);
  });

  test("refuses what is neither true nor false", () => {
    expect(() => parse("--strict-dapr=maybe")).toThrow("It must be true or false.");
  });
});
