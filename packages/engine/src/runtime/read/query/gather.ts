// SPDX-License-Identifier: Apache-2.0

import type { ListQuery } from "@pawl/protocol/port";
import type { Row } from "../../../store/codec.js";
import { instantKey, secondOf, textBytes, updatedAtOf } from "../../../store/index/index-key.js";
import type { StoreReader } from "../../../store/store.js";
import type { Bounds } from "./bounds.js";
import type { ExtentOf } from "./extents.js";
import { isNarrow } from "./legs.js";
import { Places } from "./places.js";
import { firstTagPrefix, type Order, type Plan, planIn } from "./plan.js";

/**
 * The ids of all instances within a plan's bounds, where the order that is asked for has no index that
 * knows of them, and the indexes by creation say that they are few. Undefined: they are not few, or
 * nothing is known of them.
 */
export async function gather(
  store: StoreReader,
  query: ListQuery,
  { order, bounds }: Plan,
  limit: number,
  extentOf?: ExtentOf,
): Promise<string[] | undefined> {
  if (order === "created" || !isNarrow(bounds)) return undefined;
  if (order === "id" && bounds.ids !== undefined) return undefined;
  const plan = planIn("created", bounds, extentOf);
  const options = { descending: query.descending ?? false, after: undefined };
  const places = new Places(store, plan, { ...options, pageSize: limit });
  await places.open();
  const found: string[] = [];
  while (!places.isAtEnd()) {
    for (const { position, isHollow } of await places.take(limit + 1)) {
      if (!isHollow) found.push(plan.idAt(position));
    }
    if (found.length > limit || places.isSpent()) return undefined;
  }
  return found;
}

/** Where an instance stands in an order: what the key of its entry has after the prefix. */
export function positionIn(order: Order, bounds: Bounds, instanceId: string, row: Row): Buffer {
  const id = Buffer.from(instanceId, "utf8");
  switch (order) {
    case "id":
      return Buffer.concat([id, Buffer.from([0])]);
    case "updated":
      return Buffer.concat([instantKey(secondOf(updatedAtOf(row))), id]);
    case "created":
      return Buffer.concat([instantKey(row.createdAt), id]);
    case "tag": {
      const value = textBytes(row.tags[firstTagPrefix(bounds)[0]] ?? "");
      return Buffer.concat([value, instantKey(row.createdAt), id]);
    }
  }
}
