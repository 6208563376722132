// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { replayOf } from "../../test/replay-of.js";
import { workflow } from "../definition.js";
import { InstanceCache, type Seat } from "./instance-cache.js";

const limit = 4;
const ids = [..."abcdefg"];
/** Most instances have a whole turn at a time, so that there are more of them than are held. */
const step = fc.record({
  whats: fc.constantFrom(["begin", "put"], ["begin", "put"], ["begin"], ["put"], ["delete"]),
  id: fc.constantFrom(...ids),
});

describe("InstanceCache", () => {
  test("lets go of the instance whose last turn is longest ago, as a list of them does", () => {
    const idle = workflow("idle", (context) => context.sleep(1));
    fc.assert(
      fc.property(fc.array(step, { minLength: 60, maxLength: 60 }), (steps) => {
        const cache = new InstanceCache(limit);
        const inFlight = new Map<string, Seat>();
        /** What is held, oldest first. */
        let held: string[] = [];
        const whats = steps.flatMap(({ whats, id }) => whats.map((what) => ({ what, id })));
        for (const { what, id } of whats) {
          const seat = inFlight.get(id);
          if (what === "begin") {
            const begun = cache.begin(id, "token");
            expect(cache.take(begun, "e") !== undefined).toBe(held.includes(id));
            inFlight.set(id, begun);
            held = held.filter((other) => other !== id);
          } else if (what === "delete") {
            cache.delete(id);
            inFlight.delete(id);
            held = held.filter((other) => other !== id);
          } else if (seat !== undefined) {
            inFlight.delete(id);
            held.push(id);
            const displaced = held.length > limit ? held.shift() : undefined;
            expect(cache.put(seat, replayOf(idle))).toBe(displaced);
          }
        }
      }),
    );
  });

  test("holds an instance once, when a turn of it came twice", () => {
    const idle = workflow("idle", (context) => context.sleep(1));
    const cache = new InstanceCache(1);
    const seats = ["a", "b", "c"].map((id) => cache.begin(id, "token"));
    const displaced = [0, 0, 1, 1, 2].map((at) => {
      const seat = seats[at];
      return seat && cache.put(seat, replayOf(idle));
    });
    expect(displaced).toEqual([undefined, undefined, "a", undefined, "b"]);
  });

  test("tells a turn that it was replaced, or its instance released", () => {
    const cache = new InstanceCache(limit);
    const seat = cache.begin("a", "t1");
    expect(seat.token).toBe("t1");
    expect(cache.begin("a", "t2")).toBe(seat);
    expect(seat.token).toBe("t2");
    cache.delete("a");
    expect(seat.token).toBeUndefined();
  });
});
