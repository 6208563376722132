// SPDX-License-Identifier: Apache-2.0

import { type Engine, isEngineError } from "@pawl/engine";
import type { Life, World } from "./world.ts";

/** How a stream ended: by itself, by a refusal, or with the connection or the server. */
type End = "over" | "refused" | "broken";

/**
 * Follows a stream over lives of the server and broken connections, until it ends by itself or is
 * refused. `open` goes on after the last item that `take` got.
 */
export async function follow<T>(
  world: World,
  open: (engine: Engine) => AsyncIterable<T>,
  take: (item: T) => void,
): Promise<"over" | "refused"> {
  const { scheduler, random, outside } = world;
  for (;;) {
    const { life } = world;
    if (life.engine !== undefined) {
      const end = await followOnce(world, life, open(life.engine), take);
      if (end !== "broken") return end;
    }
    await scheduler.sleep(1 + random.next() * 100, outside, "a watcher comes again");
  }
}

async function followOnce<T>(
  world: World,
  life: Life,
  stream: AsyncIterable<T>,
  take: (item: T) => void,
): Promise<End> {
  const items = stream[Symbol.asyncIterator]();
  const death = world.deathOf();
  for (;;) {
    const next = await Promise.race([items.next().catch(endOf), death]);
    if (next === undefined || !life.isAlive) return "broken";
    if (next === "refused" || next === "broken") return next;
    if (next.done === true) return "over";
    take(next.value);
    if (world.fault(world.habits.watchBreaks, "a watch breaks")) {
      await Promise.race([items.return?.(), death]);
      return "broken";
    }
    const { scheduler, random, outside } = world;
    if (random.chance(0.2)) await scheduler.sleep(random.next() * 50, outside, "a slow watcher");
  }
}

/** What an error of a watch means; any that it should not have is thrown. */
function endOf(error: unknown): "refused" | "broken" {
  const code = isEngineError(error) ? error.code : undefined;
  if (code === "STORE_UNAVAILABLE" || code === "SHUTTING_DOWN") return "broken";
  if (code === "INSTANCE_NOT_FOUND") return "refused";
  throw error;
}
