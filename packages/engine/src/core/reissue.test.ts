// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { EventRecord, HistoryEventSchema } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { inboundRecord } from "./event.js";
import { type Reissue, reissue, restart } from "./reissue.js";
import { spanIdOf } from "./trace/trace-id.js";

const as: Reissue = {
  instanceId: "again",
  executionId: "execution-2",
  workflow: "order",
  sourceId: "order-1",
  trace: undefined,
  hasSpan: false,
  createId: () => "id",
  appId: "shop",
  propagated: undefined,
};

describe("restart()", () => {
  test("leaves every event but the start as it is", () => {
    const record = inboundRecord(5, { case: "workflowStarted", value: {} });
    expect(restart(record, as)).toBe(record);
  });

  test("takes a start that says neither when it was nor of what execution", () => {
    const bare = create(HistoryEventSchema, {
      eventId: -1,
      eventType: { case: "executionStarted", value: { name: "order" } },
    });
    const { event } = restart(EventRecord.of(bare), as);
    expect(event).not.toHaveProperty("timestamp");
    expect(event.eventType.value).toMatchObject({ workflowInstance: { instanceId: "again" } });
    expect(event.eventType.value).not.toHaveProperty("workflowInstance.executionId");
  });

  test("does not wait for a start that was delayed once", () => {
    const delayed = inboundRecord(5, {
      case: "executionStarted",
      value: { name: "order", scheduledStartTimestamp: { seconds: 9n } },
    });
    const { eventType } = restart(delayed, as).event;
    expect(eventType.value).not.toHaveProperty("scheduledStartTimestamp");
  });
});

describe("a span", () => {
  const started = (workflowSpanID?: string) =>
    inboundRecord(5, {
      case: "executionStarted",
      value: { name: "order", ...(workflowSpanID === undefined ? {} : { workflowSpanID }) },
    });

  test("is another one than that of the run before, where there was one", () => {
    const again = (spanId?: string) => restart(started(spanId), as).event.eventType.value;
    expect(again("b7ad6b7169203331")).toMatchObject({ workflowSpanID: spanIdOf("execution-2") });
    expect(again()).not.toHaveProperty("workflowSpanID");
  });
});

describe("reissue()", () => {
  test("has no way to do again what schedules nothing", () => {
    const record = inboundRecord(5, { case: "workflowStarted", value: {} });
    expect(() => reissue(record, as, {}, [], 9)).toThrow("cannot be scheduled again");
  });
});
