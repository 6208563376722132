// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { ExecutionStartedEventSchema, TraceContextSchema } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import {
  contextOf,
  isSampled,
  parseTraceParent,
  rootTrace,
  traceContextOf,
  traceFields,
  workflowTrace,
} from "./trace-context.js";
import { spanIdOf } from "./trace-id.js";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const traceParent = `00-${traceId}-${spanId}-01`;

describe("traceContextOf()", () => {
  test("takes what W3C calls a traceparent, and its state", () => {
    expect(traceContextOf(traceParent, "a=b")).toEqual(
      create(TraceContextSchema, { traceParent, spanID: spanId, traceState: "a=b" }),
    );
    expect(traceContextOf(traceParent, "")).not.toHaveProperty("traceState");
    expect(traceContextOf(traceParent, "x".repeat(512))).toHaveProperty("traceState");
    expect(traceContextOf(traceParent, "x".repeat(513))).not.toHaveProperty("traceState");
  });

  test.each([
    undefined,
    "",
    "not one",
    traceId,
    `ff-${traceId}-${spanId}-01`,
    `00-${"0".repeat(32)}-${spanId}-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `${traceParent}-01`,
  ])("takes nothing of %s", (text) => {
    expect(traceContextOf(text)).toBeUndefined();
  });
});

describe("parseTraceParent()", () => {
  test("gives its parts, which say whether it is recorded", () => {
    const parts = parseTraceParent(traceParent);
    expect(parts).toEqual({ traceId, spanId, flags: "01" });
    expect(
      ["00", "01", "02", "03", "ff"].map((flags) => isSampled({ traceId, spanId, flags })),
    ).toEqual([false, true, false, true, true]);
  });
});

describe("rootTrace()", () => {
  test("has the digits of a UUID, or of any other id", () => {
    const uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
    expect(rootTrace(uuid).traceParent).toBe(
      "00-0f8fad5bd9cb469fa16570867728950e-a16570867728950e-01",
    );
    expect(rootTrace("id-1", "00").traceParent).toMatch(/^00-0{24}69642d31-[0-9a-f]{16}-00$/);
  });
});

describe("workflowTrace()", () => {
  const started = (fields: object) => create(ExecutionStartedEventSchema, { name: "w", ...fields });
  const parentTraceContext = contextOf({ traceId, spanId, flags: "01" }, "a=b");

  test("is the caller's where the execution has no span", () => {
    expect(workflowTrace(started({ parentTraceContext }))).toEqual(parentTraceContext);
    expect(workflowTrace(started({}))).toBeUndefined();
  });

  test("is the execution's own span, in the caller's trace", () => {
    const own = spanIdOf("0f8fad5b-d9cb-469f-a165-70867728950e");
    expect(workflowTrace(started({ parentTraceContext, workflowSpanID: own }))).toEqual(
      contextOf({ traceId, spanId: own, flags: "01" }, "a=b"),
    );
  });

  test("is what a worker gave, where that is no traceparent", () => {
    const odd = create(TraceContextSchema, { traceParent: "odd" });
    expect(workflowTrace(started({ parentTraceContext: odd, workflowSpanID: spanId }))).toEqual(
      odd,
    );
  });
});

describe("traceFields()", () => {
  test("has nothing where there is no trace, though spans are made", () => {
    expect(traceFields(undefined, "e", true)).toEqual({});
  });
});
