// SPDX-License-Identifier: Apache-2.0

import type { Client } from "@pawl/client";
import { sleeperPrefix } from "../check/observe.ts";
import { collect } from "./definitions.ts";

/** Calls that are under way side by side. */
const parallel = 256;

/** Starts instances that wait for an event that never comes. */
export async function startSleepers(client: Client, count: number): Promise<void> {
  const input = { senders: ["nobody"], last: 1 };
  let next = 0;
  const startSome = async (): Promise<void> => {
    while (next < count) {
      const instanceId = `${sleeperPrefix}${next}`;
      next += 1;
      await client.start(collect, input, { instanceId });
      await client.waitForStart(instanceId, { payloads: false });
    }
  };
  await Promise.all(Array.from({ length: parallel }, startSome));
}
