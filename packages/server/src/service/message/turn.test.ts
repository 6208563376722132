// SPDX-License-Identifier: Apache-2.0

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { TurnItem } from "@pawl/engine";
import {
  EventRecord,
  encodeFrames,
  HistoryPropagationScope,
  historyEvent,
  PropagatedHistorySchema,
  TurnSchema,
  WorkResponseSchema,
} from "@pawl/protocol";
import { WorkflowRequestSchema, WorkItemSchema } from "@pawl/protocol/task-hub";
import { describe, expect, test } from "vitest";
import {
  addTurns,
  encodeTurn,
  encodeTurnWorkItem,
  encodeWorkflowRequest,
  toTurnWorkItem,
} from "./turn.js";

const started = historyEvent(-1, 1_700_000_000_123, { case: "workflowStarted", value: {} });
const execution = historyEvent(-1, 1_700_000_000_123, {
  case: "executionStarted",
  value: { name: "order", input: '{"id":"ä"}', workflowInstance: { instanceId: "a" } },
});
const scheduled = historyEvent(0, 1_700_000_000_124, {
  case: "taskScheduled",
  value: { name: "reserve", input: "1" },
});
const completed = historyEvent(-1, 1_700_000_000_200, {
  case: "taskCompleted",
  value: { taskScheduledId: 0, result: "2" },
});

const first: TurnItem = {
  kind: "turn",
  instanceId: "a",
  executionId: "e-1",
  workflow: "order",
  token: "t-1",
  cachedEventCount: 0,
  pastEventCount: 0,
  past: [],
  events: [EventRecord.of(started), EventRecord.of(execution)],
};
const later: TurnItem = {
  ...first,
  token: "t-2",
  pastEventCount: 3,
  past: [
    encodeFrames([EventRecord.of(started), EventRecord.of(execution)]),
    encodeFrames([EventRecord.of(scheduled)]),
  ],
  events: [EventRecord.of(started), EventRecord.of(completed)],
};
const cached: TurnItem = {
  ...later,
  token: "t-3",
  cachedEventCount: 2,
  past: [encodeFrames([EventRecord.of(scheduled)])],
};

const propagatedHistory = create(PropagatedHistorySchema, {
  scope: HistoryPropagationScope.LINEAGE,
  chunks: [
    { appId: "shop", instanceId: "p", workflowName: "parent", rawEvents: [new Uint8Array(3)] },
  ],
});
const given: TurnItem = {
  ...cached,
  propagated: toBinary(PropagatedHistorySchema, propagatedHistory),
};

const cases: [string, TurnItem][] = [
  ["a first turn", first],
  ["a later turn", later],
  ["a cached turn", cached],
  ["a turn with the history of those above", given],
];

const pastOf = (item: TurnItem) =>
  ({ 0: [started, execution, scheduled], 2: [scheduled] })[item.cachedEventCount]?.slice(
    0,
    item.pastEventCount,
  ) ?? [];
const eventsOf = (item: TurnItem) => item.events.map((record) => record.event);

/** What the length in front says, and what follows it. */
function withoutLength(bytes: Uint8Array): Uint8Array {
  return new BinaryReader(bytes).bytes();
}

describe("encodeWorkflowRequest()", () => {
  test.each(cases)("encodes %s as the reflective encoder does", (_name, item) => {
    const { cachedEventCount: eventCount } = item;
    const expected = create(WorkflowRequestSchema, {
      instanceId: item.instanceId,
      executionId: item.executionId,
      pastEvents: pastOf(item),
      newEvents: eventsOf(item),
      ...(eventCount === 0 ? {} : { cachedHistory: { eventCount } }),
      ...(item.propagated === undefined ? {} : { propagatedHistory }),
    });

    expect(withoutLength(encodeWorkflowRequest(item))).toEqual(
      toBinary(WorkflowRequestSchema, expected),
    );
  });
});

describe("encodeTurn()", () => {
  test.each(cases)("encodes %s as the reflective encoder does", (_name, item) => {
    const expected = create(TurnSchema, {
      instanceId: item.instanceId,
      executionId: item.executionId,
      pastEvents: pastOf(item),
      newEvents: eventsOf(item),
      token: item.token,
      workflow: item.workflow,
      cached: item.cachedEventCount > 0,
      pastEventCount: item.pastEventCount,
    });

    expect(withoutLength(encodeTurn(item))).toEqual(toBinary(TurnSchema, expected));
  });
});

describe("toTurnWorkItem()", () => {
  test.each(cases)("carries %s verbatim", (_name, item) => {
    const bytes = toBinary(WorkItemSchema, toTurnWorkItem(item, false));
    const decoded = fromBinary(WorkItemSchema, bytes);

    expect(decoded.completionToken).toBe(item.token);
    expect(decoded.request.case).toBe("workflowRequest");
    expect(decoded).toEqual(toTurnWorkItem(item, true));
    expect(toBinary(WorkItemSchema, decoded).length).toBe(bytes.length);
  });
});

describe("encodeTurnWorkItem()", () => {
  const long: TurnItem = { ...later, past: Array.from({ length: 1000 }, () => later.past).flat() };

  test.each([...cases, ["a turn with a long history", long] as const])(
    "encodes %s as the message's encoder does",
    (_name, item) => {
      const message = toTurnWorkItem(item, true);

      expect(new Uint8Array(encodeTurnWorkItem(item))).toEqual(toBinary(WorkItemSchema, message));
    },
  );
});

describe("addTurns()", () => {
  test("carries several turns beside what the message has", () => {
    const message = create(WorkResponseSchema, { releasedInstanceIds: ["b"] });
    const turns = [encodeTurn(first), encodeTurn(later)];

    const bytes = toBinary(WorkResponseSchema, addTurns(message, turns, false));
    const decoded = fromBinary(WorkResponseSchema, bytes);

    expect(decoded.turns.map((turn) => turn.token)).toEqual(["t-1", "t-2"]);
    expect(decoded.releasedInstanceIds).toEqual(["b"]);
  });
});
