// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test, vi } from "vitest";
import { given, own, schedule } from "./actions.js";
import { EngineUnderTest } from "./open-engine.js";

describe("an activity that its worker had no room for in the end", () => {
  test("is offered again to those who refused it, once that worker has gone for good", async () => {
    const under = await EngineUnderTest.open({ workerReturnMs: 5000 });
    const turns = under.connect({ activities: [] });
    const lacking = under.connect({ workflows: [], refuses: true });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const having = under.connect({ workflows: [], activities: ["x"], activityLimit: 1 });
    const actions = [0, 1].map((id) => given(schedule(id, "x"), own));
    await turns.completeTurn(await turns.turn(), actions);
    await having.activity();
    await vi.waitFor(() => expect(lacking.activities).toHaveLength(2));
    await new Promise((resolve) => setImmediate(resolve));
    expect(having.activities).toHaveLength(1);
    having.close();
    under.clock.advance(5000);
    // Nobody else will have it: the refusal is its result.
    await vi.waitFor(() => expect(lacking.activities).toHaveLength(4));
    await turns.turn(2);
    await under.engine.close();
  });
});
