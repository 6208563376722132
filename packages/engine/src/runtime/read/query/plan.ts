// SPDX-License-Identifier: Apache-2.0

import type { ListQuery, SortField } from "@pawl/protocol/port";
import {
  afterText,
  instantBytes,
  instantKey,
  isOpenClass,
  secondOf,
  textBytes,
} from "../../../store/index/index-key.js";
import { type IndexKind, kindPrefix, partitionOf, partitions } from "../../../store/key.js";
import { afterPrefix } from "../../../store/scan.js";
import { afterId, type Bounds, boundsOf, isImpossible, type Range } from "./bounds.js";
import { conditionOf } from "./condition.js";
import type { Extent, ExtentOf } from "./extents.js";
import { legsOf, type Stretch } from "./legs.js";

/** What a list is ordered by in truth: "tag" is the order of a tag's value. */
export type Order = SortField | "tag";

/**
 * A stretch of keys with one prefix. What follows the prefix orders the list and ends in the id. The
 * stretch is from `low`, which follows the prefix, to before the key `end`.
 */
export interface Run {
  readonly prefix: Buffer;
  readonly low: Buffer;
  readonly end: Buffer;
  /** Keys have a zero byte and the name of a workflow after the id. */
  readonly isSuffixed?: boolean;
  /** Take only keys that end so. */
  readonly workflows?: readonly Buffer[];
  /** Instants of creation of what is in it, where they are known and order the list. */
  readonly extent?: Extent;
}

/** Where a list is read from. */
export interface Plan {
  readonly order: Order;
  /** What is true of all that are looked for. */
  readonly bounds: Bounds;
  /** What is read of each partition: the places that all its legs, of several runs each, have. */
  readonly parts: readonly (readonly (readonly Run[])[])[];
  /** The id in a place. */
  idAt(position: Buffer): string;
}

/** The order of a list: see `ListQuery.sortBy`. */
export function orderOf(query: ListQuery): Order {
  return query.sortBy ?? orderWithin(boundsOf(conditionOf(query)));
}

function orderWithin({ parents, tags, tagPrefixes, id, ...bounds }: Bounds): Order {
  if (parents !== undefined || tags.size > 0) return "created";
  if (tagPrefixes.size > 0) return "tag";
  if (isBound(id)) return "id";
  const { statuses, workflows, created, updated } = bounds;
  if (statuses !== undefined || workflows !== undefined || isBound(created)) return "created";
  return isBound(updated) ? "updated" : "id";
}

function isBound({ from, before }: Range<unknown>): boolean {
  return from !== undefined || before !== undefined;
}

/**
 * Decides which keys a list is read from. What they do not guarantee is checked on the rows.
 * `extentOf`: what is known of the index by status.
 */
export function planOf(query: ListQuery, extentOf?: ExtentOf): Plan {
  const bounds = boundsOf(conditionOf(query));
  return planIn(query.sortBy ?? orderWithin(bounds), bounds, extentOf);
}

/** The same for one order. */
export function planIn(order: Order, bounds: Bounds, extentOf?: ExtentOf): Plan {
  const parts = isImpossible(bounds) ? [] : partsOf(order, bounds, extentOf);
  return { order, bounds, parts, idAt: idReaders[order] };
}

const idReaders: Readonly<Record<Order, (position: Buffer) => string>> = {
  id: (position) => position.toString("utf8", 0, position.length - 1),
  created: (position) => position.toString("utf8", instantBytes),
  updated: (position) => position.toString("utf8", instantBytes),
  tag: (position) => position.toString("utf8", afterText(position, 0) + instantBytes),
};

function partsOf(order: Order, bounds: Bounds, extentOf?: ExtentOf): Plan["parts"] {
  switch (order) {
    case "id":
      return rowParts(bounds);
    case "updated": {
      // Nothing is updated before it is created.
      const from = Math.max(bounds.updated.from ?? 0, bounds.created.from ?? 0);
      const { before } = bounds.updated;
      const low = instantKey(secondOf(from));
      const high = before === undefined ? undefined : instantKey(secondOf(Math.ceil(before)) + 1);
      return partitions.map((partition) => [[runOf("updated", partition, empty, low, high)]]);
    }
    case "tag": {
      const [key, value] = firstTagPrefix(bounds);
      // The value goes on after the prefix, so its end mark is left out.
      const low = textBytes(value).subarray(0, -2);
      const high = low.length === 0 ? undefined : afterPrefix(low);
      return partitions.map((partition) => [[runOf("tag", partition, textBytes(key), low, high)]]);
    }
    case "created":
      return createdParts(bounds, extentOf);
  }
}

/** Without the stretches of which it is known that nothing in them can be within the bounds. */
function createdParts(bounds: Bounds, extentOf?: ExtentOf): Plan["parts"] {
  const legs = legsOf(bounds);
  const from = bounds.created.from ?? 0;
  const ends = [bounds.created.before, bounds.updated.before].filter((end) => end !== undefined);
  const before = ends.length === 0 ? undefined : Math.min(...ends);
  const low = instantKey(from);
  const high = before === undefined ? undefined : instantKey(before);
  const runsOf = ({ kind, prefix, status, workflows }: Stretch, partition: number): Run[] => {
    const run = runOf(kind, partition, prefix, low, high);
    if (status === undefined) return [run];
    const isSuffixed = kind === "status" && isOpenClass(status);
    const only = isSuffixed && workflows !== undefined ? { workflows } : {};
    if (extentOf === undefined) return [{ ...run, isSuffixed, ...only }];
    const extent = extentOf(partition, status);
    if (extent === undefined || extent.last < from) return [];
    if (before !== undefined && extent.first >= before) return [];
    return [{ ...run, isSuffixed, ...only, extent }];
  };
  return partitions.map((partition) =>
    legs.map((leg) => leg.flatMap((stretch) => runsOf(stretch, partition))),
  );
}

/** The tag that a list by tag is ordered by, and what its values begin with. */
export function firstTagPrefix({ tagPrefixes }: Bounds): readonly [string, string] {
  const [[key, value] = ["", ""]] = [...tagPrefixes].sort(([a], [b]) => (a < b ? -1 : 1));
  return [key, value];
}

/** Stretches of rows: one for each id, where ids are known. */
function rowParts({ id, ids }: Bounds): Plan["parts"] {
  const low = Buffer.from(id.from ?? empty);
  const high = id.before === undefined ? undefined : Buffer.from(id.before);
  if (ids === undefined) {
    return partitions.map((partition) => [[runOf("row", partition, empty, low, high)]]);
  }
  return [...ids].map((one) => {
    const bytes = Buffer.from(one, "utf8");
    return [[runOf("row", partitionOf(one), empty, bytes, afterId(bytes))]];
  });
}

const empty = Buffer.alloc(0);

function runOf(
  kind: "row" | IndexKind,
  partition: number,
  rest: Buffer,
  low: Buffer,
  high: Buffer | undefined,
): Run {
  const prefix = Buffer.concat([kindPrefix(kind, partition), rest]);
  return { prefix, low, end: high ? Buffer.concat([prefix, high]) : afterPrefix(prefix) };
}
