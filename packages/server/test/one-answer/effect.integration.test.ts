// SPDX-License-Identifier: Apache-2.0

// The same request in every API and protocol has the same effect, and the same error where it fails.

import type { Instance, InstanceStatus } from "@pawl/engine";
import { limits } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { daprOperations, errorMap } from "../../src/error-map.js";
import type { PawlServer } from "../../src/index.js";
import { startWorker } from "../task-hub-worker.js";
import { startServer } from "../test-server.js";
import { type Ask, type Verb, type Way, waysTo } from "./way.js";

/** What is there before the request. */
type Before = "nothing" | "running" | "suspended" | "ended";

interface Case {
  readonly name: string;
  readonly before: Before;
  readonly ask: Omit<Ask, "instanceId">;
  /** Pawl's error code, when the request fails. */
  readonly error?: keyof typeof errorMap;
  /** Ways that answer "OK" although it fails, as Dapr does. */
  readonly quietly?: readonly Way["api"][];
  /** The status afterwards; undefined when there is no instance. */
  readonly status: InstanceStatus | undefined;
  /** Events that are in the history because of the request. */
  readonly events?: readonly string[];
}

const tooLarge = `"${"x".repeat(limits.payloadBytes)}"`;
const unknown = { before: "nothing", error: "INSTANCE_NOT_FOUND", status: undefined } as const;

const cases: readonly Case[] = [
  {
    name: "a start",
    before: "nothing",
    ask: { verb: "start", input: '{"total":1}' },
    status: "running",
  },
  {
    name: "a start with an id that is taken",
    before: "running",
    ask: { verb: "start", input: '"other"' },
    error: "INSTANCE_EXISTS",
    status: "running",
  },
  {
    name: "a start with an id that has ended",
    before: "ended",
    ask: { verb: "start", input: '"again"' },
    status: "running",
  },
  {
    name: "a start with too much",
    before: "nothing",
    ask: { verb: "start", input: tooLarge },
    error: "PAYLOAD_TOO_LARGE",
    status: undefined,
  },
  { name: "a look", before: "running", ask: { verb: "get" }, status: "running" },
  { name: "a look at nothing", ...unknown, ask: { verb: "get" }, quietly: ["dapr", "task hub"] },
  {
    name: "an event",
    before: "running",
    ask: { verb: "raise", input: '"cash"' },
    status: "running",
    events: ['eventRaised paid "cash"'],
  },
  { name: "an event for nothing", ...unknown, ask: { verb: "raise", input: '"cash"' } },
  {
    name: "an event with too much",
    before: "running",
    ask: { verb: "raise", input: tooLarge },
    error: "PAYLOAD_TOO_LARGE",
    status: "running",
  },
  {
    name: "an event for what has ended",
    before: "ended",
    ask: { verb: "raise", input: "1" },
    status: "terminated",
  },
  {
    name: "a suspension",
    before: "running",
    ask: { verb: "suspend" },
    status: "suspended",
    events: ["executionSuspended"],
  },
  { name: "a suspension of nothing", ...unknown, ask: { verb: "suspend" } },
  {
    name: "a suspension of what has ended",
    before: "ended",
    ask: { verb: "suspend" },
    status: "terminated",
  },
  {
    name: "a resumption",
    before: "suspended",
    ask: { verb: "resume" },
    status: "running",
    events: ["executionResumed"],
  },
  { name: "a resumption of nothing", ...unknown, ask: { verb: "resume" } },
  { name: "a termination", before: "running", ask: { verb: "terminate" }, status: "terminated" },
  { name: "a termination of nothing", ...unknown, ask: { verb: "terminate" } },
  {
    name: "a termination of what has ended",
    before: "ended",
    ask: { verb: "terminate" },
    status: "terminated",
  },
  { name: "a purge", before: "ended", ask: { verb: "purge" }, status: undefined },
  { name: "a purge of nothing", ...unknown, ask: { verb: "purge" }, quietly: ["task hub"] },
  {
    name: "a purge of what runs",
    before: "running",
    ask: { verb: "purge" },
    error: "INSTANCE_NOT_ENDED",
    status: "running",
  },
];

describe("in every API and protocol, the same comes of", () => {
  test.each(cases.map((row) => [row.name, row] as const))("%s", async (_name, row) => {
    const server = await startServer();
    const ways = waysTo(server);
    // Runs for ever: a workflow that waits for an event that it does not know.
    startWorker(server, { turn: () => [] });
    for (const [index, way] of ways.entries()) {
      const instanceId = `case-${index}`;
      await prepare(server, instanceId, row.before);
      const outcome = await way.ask({ ...row.ask, instanceId });
      expect({ way: way.name, outcome }).toEqual({ way: way.name, outcome: expected(row, way) });
      const effect = await observe(server, instanceId, row);
      expect({ way: way.name, effect }).toEqual({
        way: way.name,
        effect: { status: row.status, events: row.events ?? [], input: expectedInput(row) },
      });
    }
  });
});

async function prepare(server: PawlServer, instanceId: string, before: Before): Promise<void> {
  if (before === "nothing") {
    return;
  }
  const { engine } = server;
  await engine.start({ workflow: "order", instanceId, input: '"first"' });
  await reach(server, instanceId, "running");
  if (before === "suspended") {
    await engine.suspend(instanceId);
    await reach(server, instanceId, "suspended");
  } else if (before === "ended") {
    await engine.terminate(instanceId);
    await reach(server, instanceId, "terminated");
  }
}

function reach(server: PawlServer, instanceId: string, status: InstanceStatus): Promise<Instance> {
  return server.engine.waitUntil(instanceId, (instance) => instance.status === status);
}

/** What the request left behind, once it has had its effect. */
async function observe(
  server: PawlServer,
  instanceId: string,
  { status, events = [] }: Case,
): Promise<{ status: string | undefined; events: string[]; input: string | undefined }> {
  const { engine } = server;
  if (status === undefined) {
    const instance = await engine.get(instanceId);
    return { status: instance?.status, events: [], input: instance?.input };
  }
  const has = async (): Promise<string[]> => {
    const all = (await engine.history(instanceId)).map(describeEvent);
    return all.filter((event) => events.includes(event));
  };
  const instance = await reach(server, instanceId, status);
  let seen = await has();
  while (seen.length < events.length) {
    const { historyLength } = (await engine.get(instanceId)) ?? instance;
    await engine.waitUntil(instanceId, (next) => next.historyLength > historyLength);
    seen = await has();
  }
  return { status: instance.status, events: seen, input: instance.input };
}

type HistoryEvent = Awaited<ReturnType<PawlServer["engine"]["history"]>>[number];

function describeEvent({ eventType }: HistoryEvent): string {
  return eventType.case === "eventRaised"
    ? `eventRaised ${eventType.value.name} ${eventType.value.input ?? ""}`
    : String(eventType.case);
}

function expectedInput({ before, ask, error, status }: Case): string | undefined {
  if (status === undefined) {
    return undefined;
  }
  return ask.verb === "start" && error === undefined
    ? ask.input
    : before === "nothing"
      ? undefined
      : '"first"';
}

const operationOf = {
  start: "start",
  get: "get",
  raise: "raiseEvent",
  suspend: "pause",
  resume: "resume",
  terminate: "terminate",
  purge: "purge",
} as const satisfies Record<Verb, keyof typeof daprOperations>;

/** Failures that the early form gives codes of their own. */
const earlyCodes: Partial<Record<keyof typeof errorMap, string>> = {
  INSTANCE_NOT_FOUND: "404 ERR_INSTANCE_ID_NOT_FOUND",
  INSTANCE_EXISTS: "409 ERR_INSTANCE_ID_EXISTS",
  INSTANCE_NOT_ENDED: "409 ERR_INSTANCE_NOT_ENDED",
  PAYLOAD_TOO_LARGE: "413 ERR_PAYLOAD_TOO_LARGE",
};

function expected({ ask, error, quietly = [] }: Case, { api }: Way): string {
  if (error === undefined || quietly.includes(api)) {
    return "OK";
  }
  if (api === "early rest") {
    return earlyCodes[error] ?? error;
  }
  if (api !== "rest") {
    return error;
  }
  const { code, notFound } = daprOperations[operationOf[ask.verb]];
  return error === "INSTANCE_NOT_FOUND" && notFound
    ? "404 ERR_INSTANCE_ID_NOT_FOUND"
    : `${errorMap[error].daprHttp} ${code}`;
}
