// SPDX-License-Identifier: Apache-2.0

import type { Scenario } from "./scenario.ts";

/** Somebody who changes limits and times while the server is at work. */
export const configure: Scenario = async ({ caller, world }) => {
  for (let left = world.random.integer(1, 4); left > 0; left -= 1) {
    world.reconfigure();
    await caller.pause(2000);
  }
};
