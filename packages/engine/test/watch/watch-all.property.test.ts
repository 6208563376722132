// SPDX-License-Identifier: Apache-2.0

import type { FeedItem } from "@pawl/protocol/port";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EngineUnderTest } from "../open-engine.js";
import { Watcher } from "./watcher.js";

describe("watchAll()", () => {
  test("neither loses nor repeats a state, wherever the connection breaks", async () => {
    const steps = fc.array(
      fc.record({
        what: fc.constantFrom("start", "terminate", "purge", "leave", "take", "crash"),
        id: fc.constantFrom("a", "b", "c"),
      }),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (todo) => {
        let under = await EngineUnderTest.open();
        const told: FeedItem[] = [];
        const purges: string[] = [];
        let watcher = await Watcher.caughtUp(under);
        const leave = async (): Promise<void> => {
          await watcher.leave();
          told.push(...watcher.items);
        };
        for (const { what, id } of todo) {
          if (what === "start")
            await under.engine.start({ workflow: "w", instanceId: id }).catch(() => {});
          if (what === "terminate") await under.engine.terminate(id).catch(() => {});
          if (what === "purge") {
            const purged = under.engine.purge(id, { force: true });
            await purged.then(() => purges.push(id)).catch(() => {});
          }
          if (what === "take") {
            // There is something to take, or this is a fresh start that makes it so.
            await under.engine
              .start({ workflow: "w", instanceId: `t${told.length}${watcher.items.length}` })
              .catch(() => {});
            await watcher.next();
          }
          if (what === "leave" || what === "crash") {
            await leave();
            if (what === "crash") under = await under.crash();
            watcher = new Watcher(
              under,
              {},
              { resumeToken: watcher.token || (told.at(-1)?.resumeToken ?? "") },
            );
          }
        }
        await under.engine.start({ workflow: "w", instanceId: "end" });
        for (;;) {
          const item = await watcher.next();
          if (item.kind === "changed" && item.instance.instanceId === "end") break;
        }
        await leave();
        await checkView(under, told);
        checkPurges(told, purges);
        await under.engine.close();
      }),
      { numRuns: 60 },
    );
  });
});

/** What was told adds up to what there is, and no two items in a row of one instance are alike. */
async function checkView(under: EngineUnderTest, told: readonly FeedItem[]): Promise<void> {
  const view = new Map<string, string>();
  for (const item of told) {
    if (item.kind === "purged") view.delete(item.instanceId);
    if (item.kind !== "changed") continue;
    const { instanceId } = item.instance;
    const state = JSON.stringify(item.instance);
    expect(view.get(instanceId)).not.toBe(state);
    view.set(instanceId, state);
  }
  const { instances } = await under.engine.list({ pageSize: 1000 });
  const present = new Map(instances.map((one) => [one.instanceId, JSON.stringify(one)]));
  expect(new Map([...view].sort())).toEqual(new Map([...present].sort()));
}

/** Each purge was told once at most: of several that were missed, the last one. */
function checkPurges(told: readonly FeedItem[], purges: readonly string[]): void {
  const left = [...purges];
  for (const item of told) {
    if (item.kind !== "purged") continue;
    expect(left).toContain(item.instanceId);
    left.splice(left.indexOf(item.instanceId), 1);
  }
}
