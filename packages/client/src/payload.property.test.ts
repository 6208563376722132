// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { history as h } from "../test/history.js";
import { asked, replayOf } from "../test/replay-of.js";
import { workflow } from "./definition.js";
import { parsePayload, stringifyPayload, stringifyStatus } from "./payload.js";

const json = fc.jsonValue({ maxDepth: 3 });

describe("payloads", () => {
  test("every JSON value survives, falsy ones too", () => {
    fc.assert(
      fc.property(fc.oneof(json, fc.constantFrom(null, 0, "", false)), (value) => {
        const text = stringifyPayload(value);
        expect(text).toBeDefined();
        expect(parsePayload(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("every JSON value survives as a custom status, a plain string as it is", () => {
    fc.assert(
      fc.property(fc.oneof(json, fc.string()), (value) => {
        expect(parsePayload(stringifyStatus(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(stringifyStatus("waiting for shipment")).toBe("waiting for shipment");
    expect(stringifyStatus("5")).toBe('"5"');
    expect(stringifyStatus("")).toBe('""');
  });

  test("every JSON value survives start, event, activity and output of a workflow", async () => {
    const echoing = workflow("echoing", async (ctx, input: unknown) => [
      input,
      await ctx.waitForEvent("e"),
      await ctx.activity("a", input),
    ]);
    await fc.assert(
      fc.asyncProperty(json, json, json, async (input, payload, output) => {
        const replay = replayOf(echoing);
        await replay.turn([], [h.turn(1), h.start("echoing", input)]);
        const call = await replay.turn([], [h.turn(2), h.event("e", payload)]);
        expect(asked(call)).toEqual([`1 activity a ${JSON.stringify(input)}`]);
        const end = await replay.turn([], [h.turn(3), h.activityDone(1, output)]);
        expect(asked(end)).toEqual([`2 completed ${JSON.stringify([input, payload, output])}`]);
      }),
    );
  });
});
