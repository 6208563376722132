// SPDX-License-Identifier: Apache-2.0

import type { ListQuery, SortField } from "@pawl/protocol/port";
import { StoredStatus } from "@pawl/protocol/store";
import { isStatus, storedStatusOf } from "../../../store/codec.js";
import {
  afterText,
  instantKey,
  secondOf,
  statusClass,
  textBytes,
} from "../../../store/index/index-key.js";
import {
  type IndexKind,
  kindPrefix,
  kindRange,
  partitionCount,
  partitionOf,
} from "../../../store/key.js";
import { afterPrefix } from "../../../store/scan.js";
import type { StoreReader } from "../../../store/store.js";
import { type Bounds, boundsOf, type Choice, isImpossible, type Range } from "./bounds.js";
import { conditionOf } from "./condition.js";

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
  /** What is true of all that are looked for. */
  readonly bounds: Bounds;
  readonly runs: readonly Run[];
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

/** Decides which keys a list is read from. What they do not guarantee is checked on the rows. */
export async function planOf(store: StoreReader, query: ListQuery): Promise<Plan> {
  const bounds = boundsOf(conditionOf(query));
  const order = query.sortBy ?? orderWithin(bounds);
  if (isImpossible(bounds)) return { kind: "row", order, bounds, runs: [] };
  switch (order) {
    case "id":
      return { kind: "row", order, bounds, runs: rowRuns(bounds) };
    case "updated": {
      // Nothing is updated before it is created.
      const from = Math.max(bounds.updated.from ?? 0, bounds.created.from ?? 0);
      const { before } = bounds.updated;
      const low = instantKey(secondOf(from));
      const high = before === undefined ? undefined : instantKey(secondOf(Math.ceil(before)) + 1);
      return { kind: "updated", order, bounds, runs: runsOf("updated", [empty], low, high) };
    }
    case "tag": {
      const [[key, value] = ["", ""]] = [...bounds.tagPrefixes].sort(byKey);
      // The value goes on after the prefix, so its end mark is left out.
      const low = textBytes(value).subarray(0, -2);
      const high = low.length === 0 ? undefined : afterPrefix(low);
      return { kind: "tag", order, bounds, runs: runsOf("tag", [textBytes(key)], low, high) };
    }
    case "created": {
      const { kind, prefixes } = await creationIndex(store, bounds);
      const low = instantKey(bounds.created.from ?? 0);
      const ends = [bounds.created.before, bounds.updated.before];
      const given = ends.filter((end) => end !== undefined);
      const high = given.length === 0 ? undefined : instantKey(Math.min(...given));
      return { kind, order, bounds, runs: runsOf(kind, prefixes, low, high) };
    }
  }
}

/** Stretches of rows: one for each id, where ids are known. */
function rowRuns({ id, ids }: Bounds): Run[] {
  const low = Buffer.from(id.from ?? empty);
  const high = id.before === undefined ? undefined : Buffer.from(id.before);
  if (ids === undefined) return runsOf("row", [empty], low, high);
  return [...ids].map((one) => {
    const bytes = Buffer.from(one, "utf8");
    const prefix = kindPrefix("row", partitionOf(one));
    return { prefix, low: bytes, high: Buffer.concat([bytes, Buffer.from([1])]) };
  });
}

/** The index that is ordered by creation and has least of what is not asked for. */
async function creationIndex(
  store: StoreReader,
  { parents, tags, statuses, workflows }: Bounds,
): Promise<{ kind: IndexKind; prefixes: readonly Buffer[] }> {
  const [tag] = [...tags].filter(([, values]) => isFew(values)).sort(byKey);
  if (isFew(parents)) return { kind: "parent", prefixes: [...parents].map(textBytes) };
  if (tag !== undefined) {
    const prefixes = [...tag[1]].map((value) => Buffer.concat([tag[0], value].map(textBytes)));
    return { kind: "tag", prefixes };
  }
  const classes = classesOf(statuses);
  if (classes.length === everyClass.length && !isFew(workflows)) {
    return { kind: "created", prefixes: [empty] };
  }
  const names = isFew(workflows) ? [...workflows].map(textBytes) : await readNames(store);
  const prefixes = names.flatMap((name) =>
    classes.map((status) => Buffer.concat([name, Buffer.from([status])])),
  );
  return { kind: "status", prefixes };
}

/** Values of a condition that are looked up one by one, at most: each is a stretch of keys. */
const fewValues = 64;

function isFew(choice: Choice): choice is ReadonlySet<string> {
  return choice !== undefined && choice.size <= fewValues;
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

const empty = Buffer.alloc(0);

/** The same stretches in every partition. */
function runsOf(
  kind: Plan["kind"],
  prefixes: readonly Buffer[],
  low: Buffer,
  high: Buffer | undefined,
): Run[] {
  return partitions.flatMap((partition) =>
    prefixes.map((prefix) => {
      return { prefix: Buffer.concat([kindPrefix(kind, partition), prefix]), low, high };
    }),
  );
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

function classesOf(statuses: Choice): readonly number[] {
  if (statuses === undefined) return everyClass;
  return [
    ...new Set([...statuses].filter(isStatus).map((one) => statusClass(storedStatusOf(one)))),
  ];
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
