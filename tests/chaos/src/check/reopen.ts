// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import { createClient } from "@pawl/client";
import { openEngine, verifyFolder } from "@pawl/engine";
import { type Observation, observe } from "./observe.ts";
import type { Violation } from "./violation.ts";

/** Opens a data folder without a server and reads it, as a client reads a server. */
export async function observeFolder(
  dataDir: string,
  wanted: Iterable<string>,
): Promise<Observation> {
  const engine = await openEngine({ dataDir });
  try {
    return await observe(createClient({ engine }), wanted);
  } finally {
    await engine.close();
  }
}

/** Verifies a data folder that nobody uses: whatever is wrong with an instance or its index entries. */
export async function findFaults(
  dataDir: string,
): Promise<{ readonly instanceId: string; readonly reason: string }[]> {
  const { damaged, indexFaults = [] } = await verifyFolder(dataDir);
  return [...damaged, ...indexFaults];
}

/** Checks that two readings saw the same. */
export function compareObservations(before: Observation, after: Observation): Violation[] {
  const ids = new Set([...before.instances.keys(), ...after.instances.keys(), ...after.listed]);
  const rule = "a stopped server's folder reads the same";
  return [...ids].flatMap((instanceId) => {
    const was = before.instances.get(instanceId);
    const is = after.instances.get(instanceId);
    const histories = [before, after].map((each) => each.histories.get(instanceId));
    const isSame = isDeepStrictEqual(was, is) && isDeepStrictEqual(histories[0], histories[1]);
    if (isSame && after.listed.includes(instanceId) === before.listed.includes(instanceId)) {
      return [];
    }
    const found =
      was === undefined ? "it has appeared" : is === undefined ? "it is gone" : "differs";
    return [{ rule, instanceId, found }];
  });
}
