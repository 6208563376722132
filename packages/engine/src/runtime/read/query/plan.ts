// SPDX-License-Identifier: Apache-2.0

import type { ListQuery, SortField } from "@pawl/protocol/port";
import { StoredStatus } from "@pawl/protocol/store";
import { storedStatusOf } from "../../../store/codec.js";
import {
  afterText,
  instantKey,
  secondOf,
  statusClass,
  textBytes,
} from "../../../store/index/index-key.js";
import { type IndexKind, kindPrefix, kindRange, partitionCount } from "../../../store/key.js";
import { afterPrefix } from "../../../store/scan.js";
import type { StoreReader } from "../../../store/store.js";
import { tagPrefixesOf, tagsOf } from "./filter.js";

/** What a list is ordered by in truth: "tag" is the order of a tag's value. */
export type Order = SortField | "tag";

/**
 * A stretch of keys with one prefix. What follows the prefix orders the list and ends in the id. The
 * stretch is from `low` to before `high`; undefined: to the end of the prefix.
 */
export interface Run {
  readonly prefix: Buffer;
  readonly low: Buffer;
  readonly high: Buffer | undefined;
}

/** Where a list is read from: runs that are merged. */
export interface Plan {
  readonly kind: "row" | IndexKind;
  readonly order: Order;
  readonly runs: readonly Run[];
}

/** The order of a list: see `ListQuery.sortBy`. */
export function orderOf(query: ListQuery): Order {
  if (query.sortBy !== undefined) return query.sortBy;
  const { parentInstanceId, tags, statuses, workflow } = query;
  const isCreated = query.createdFrom !== undefined || query.createdBefore !== undefined;
  const isUpdated = query.updatedFrom !== undefined || query.updatedBefore !== undefined;
  if (parentInstanceId || Object.keys(tags ?? {}).length > 0) return "created";
  if (Object.keys(query.tagPrefixes ?? {}).length > 0) return "tag";
  if (query.instanceIdPrefix) return "id";
  if (statuses?.length || workflow || isCreated) return "created";
  return isUpdated ? "updated" : "id";
}

/** Decides which keys a list is read from. What they do not guarantee is checked on the rows. */
export async function planOf(store: StoreReader, query: ListQuery): Promise<Plan> {
  const order = orderOf(query);
  switch (order) {
    case "id": {
      const id = Buffer.from(query.instanceIdPrefix ?? "", "utf8");
      return plan("row", order, [empty], id, id.length === 0 ? undefined : afterPrefix(id));
    }
    case "updated": {
      // Nothing is updated before it is created.
      const from = Math.max(query.updatedFrom ?? 0, query.createdFrom ?? 0);
      const low = instantKey(secondOf(from));
      const before = query.updatedBefore;
      const high = before === undefined ? undefined : instantKey(secondOf(Math.ceil(before)) + 1);
      return plan("updated", order, [empty], low, high);
    }
    case "tag": {
      const [[key, value] = ["", ""]] = tagPrefixesOf(query);
      // The value goes on after the prefix, so its end mark is left out.
      const low = textBytes(value).subarray(0, -2);
      const high = low.length === 0 ? undefined : afterPrefix(low);
      return plan("tag", order, [textBytes(key)], low, high);
    }
    case "created":
      return planByCreation(store, query);
  }
}

async function planByCreation(store: StoreReader, query: ListQuery): Promise<Plan> {
  const low = instantKey(query.createdFrom ?? 0);
  const ends = [query.createdBefore, query.updatedBefore].filter((end) => end !== undefined);
  const high = ends.length === 0 ? undefined : instantKey(Math.min(...ends));
  const [tag] = tagsOf(query);
  if (query.parentInstanceId) {
    return plan("parent", "created", [textBytes(query.parentInstanceId)], low, high);
  }
  if (tag !== undefined) {
    const prefix = Buffer.concat([textBytes(tag[0]), textBytes(tag[1])]);
    return plan("tag", "created", [prefix], low, high);
  }
  const classes = classesOf(query);
  if (classes.length === everyClass.length && !query.workflow) {
    return plan("created", "created", [empty], low, high);
  }
  const names = query.workflow ? [textBytes(query.workflow)] : await readNames(store);
  const prefixes = names.flatMap((name) =>
    classes.map((status) => Buffer.concat([name, Buffer.from([status])])),
  );
  return plan("status", "created", prefixes, low, high);
}

const empty = Buffer.alloc(0);

/** The same stretches in every partition. */
function plan(
  kind: Plan["kind"],
  order: Order,
  prefixes: readonly Buffer[],
  low: Buffer,
  high: Buffer | undefined,
): Plan {
  const runs = partitions.flatMap((partition) =>
    prefixes.map((prefix) => {
      return { prefix: Buffer.concat([kindPrefix(kind, partition), prefix]), low, high };
    }),
  );
  return { kind, order, runs };
}

const partitions = Array.from({ length: partitionCount }, (_, partition) => partition);

const everyClass: readonly number[] = [
  ...new Set(
    [
      StoredStatus.PENDING,
      StoredStatus.RUNNING,
      StoredStatus.SUSPENDED,
      StoredStatus.STALLED,
      StoredStatus.COMPLETED,
      StoredStatus.FAILED,
      StoredStatus.TERMINATED,
    ].map(statusClass),
  ),
];

function classesOf({ statuses }: ListQuery): readonly number[] {
  if (!statuses?.length) return everyClass;
  return [...new Set(statuses.map((status) => statusClass(storedStatusOf(status))))];
}

/** The workflows that there are instances of, as keys have them: one look for each and partition. */
async function readNames(store: StoreReader): Promise<Buffer[]> {
  const names = new Map<string, Buffer>();
  await Promise.all(
    partitions.map(async (partition) => {
      const { gte, lt } = kindRange("status", partition);
      for (let from = gte; ; ) {
        const [entry] = await store.range({ gte: from, lt, limit: 1 });
        if (entry === undefined) return;
        const key = Buffer.from(entry[0]);
        const end = afterText(key, gte.length);
        names.set(key.toString("hex", gte.length, end), key.subarray(gte.length, end));
        from = afterPrefix(key.subarray(0, end));
      }
    }),
  );
  return [...names.values()];
}
