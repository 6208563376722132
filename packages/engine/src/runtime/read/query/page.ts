// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import type { Instance, ListPage, ListQuery } from "@pawl/protocol/port";
import { EngineError } from "../../../errors.js";
import { decodeRow, type Row } from "../../../store/codec.js";
import { isDamage } from "../../../store/damaged.js";
import { rowKey } from "../../../store/key.js";
import type { Store, StoreReader } from "../../../store/store.js";
import { readWhole } from "../reader.js";
import { instanceOf } from "../view.js";
import { admitsId } from "./bounds.js";
import type { ExtentOf, Extents } from "./extents.js";
import { type Matcher, matcherOf, requireQuery } from "./filter.js";
import { gather, positionIn } from "./gather.js";
import { positionOf, tokenOf } from "./page-token.js";
import { PayloadRoom } from "./payload-room.js";
import { Places } from "./places.js";
import { type Plan, planOf } from "./plan.js";
import { isBefore } from "./stream.js";

/**
 * Entries that one page looks at, at most, where no index has the whole filter. A page may be short,
 * or empty, and still have a next one.
 */
const scanLimit = 10_000;
/** Instances that one page puts in order, at most, where they are few and no index has the order. */
const sortLimit = 1000;
/** Rows that are read side by side. */
const pieceSize = 128;
/** Instances whose payloads are read side by side: these are in memory whether the page has room or not. */
const viewPiece = 16;
const defaultPageSize = 100;

/** Hears of an instance that is damaged. */
export type OnDamage = (instanceId: string, error: EngineError) => void;

/**
 * One page of instances, as they were at one moment. Damage of one instance does not hide the
 * others: without its payloads it is shown without them, without its row it is left out; `onDamage`
 * hears of it.
 * @throws INVALID_ARGUMENT for a query that is none, and a token that is not this query's
 */
export async function readPage(
  store: Store,
  query: ListQuery,
  onDamage: OnDamage,
  { extents, ...options }: PageOptions = {},
): Promise<ListPage> {
  requireQuery(query);
  const after = positionOf(query);
  const pageSize = requirePageSize(query.pageSize);
  // Before the moment is taken.
  const extentOf = await extents?.read();
  const moment = store.snapshot();
  try {
    const wanted = { pageSize, after, onDamage, extentOf, ...options };
    const { found, next } = await find(moment, query, wanted);
    const { instances, cutAt = next } =
      query.payloads === false
        ? { instances: found.map(withoutPayloads) }
        : await withPayloads(moment, found, onDamage);
    return cutAt === undefined
      ? { instances }
      : { instances, nextPageToken: tokenOf(query, cutAt) };
  } finally {
    await moment.close();
  }
}

/** What helps to find a page. */
export interface PageOptions extends Pick<FindOptions, "sortLimit"> {
  /** Of the store. @default nothing is known of it */
  readonly extents?: Pick<Extents, "read">;
}

/** A row that a filter lets through. */
interface MatchingRow {
  readonly instanceId: string;
  readonly row: Row;
}

/** The same with its place in the order. */
export interface FoundRow extends MatchingRow {
  readonly position: Buffer;
}

/** True when an execution has ended: no continue-as-new will replace it. */
export function isLasting(row: Row): boolean {
  return row.completedAt !== 0;
}

/** How far to look. */
export interface FindOptions {
  readonly pageSize: number;
  /** Go on after this position. */
  readonly after: Buffer | undefined;
  readonly onDamage: OnDamage;
  /** Put so many instances in order, at most. @default 1,000 */
  readonly sortLimit?: number;
  /** What is known of the index by status. */
  readonly extentOf?: ExtentOf | undefined;
}

/** What was found, and the position to go on from; none at the end. */
interface Found {
  readonly found: readonly FoundRow[];
  readonly next: Buffer | undefined;
}

/** The next rows that a filter lets through. */
export async function find(
  store: StoreReader,
  query: ListQuery,
  options: FindOptions,
): Promise<Found> {
  const { extentOf } = options;
  const plan = planOf(query, extentOf);
  const few = await gather(store, query, plan, options.sortLimit ?? sortLimit, extentOf);
  return few === undefined
    ? findInOrder(store, query, plan, options)
    : findAmong(store, query, plan, few, options);
}

/** The next rows by an index that has the order, which may have much that is not let through. */
async function findInOrder(
  store: StoreReader,
  query: ListQuery,
  plan: Plan,
  { pageSize, after, onDamage }: FindOptions,
): Promise<Found> {
  const matches = matcherOf(query);
  const places = new Places(store, plan, {
    descending: query.descending ?? false,
    after,
    pageSize,
  });
  await places.open();
  const found: FoundRow[] = [];
  for (let scanned = 0; ; ) {
    // As long as all are let through, no more are read than are needed.
    const wanted = scanned === found.length ? pageSize - found.length : pieceSize;
    const taken = await places.take(Math.min(wanted, pieceSize, scanLimit - scanned));
    const rows = await Promise.all(
      taken.map(({ position, value, isHollow }) => {
        if (isHollow) return undefined;
        scanned += 1;
        const instanceId = plan.idAt(position);
        if (!admitsId(plan.bounds, instanceId)) return undefined;
        const bytes = plan.order === "id" ? value : undefined;
        return readMatching(store, instanceId, bytes, { matches, onDamage });
      }),
    );
    for (const [at, { position }] of taken.entries()) {
      const row = rows[at];
      if (row === undefined) continue;
      found.push({ ...row, position });
      if (found.length < pageSize) continue;
      const isLast = at === rows.length - 1 && places.isAtEnd();
      return { found, next: isLast ? undefined : position };
    }
    if (places.isAtEnd()) return { found, next: undefined };
    if (scanned >= scanLimit || places.isSpent()) return { found, next: taken.at(-1)?.position };
  }
}

/** The next rows of a few instances, which are put in order. */
async function findAmong(
  store: StoreReader,
  query: ListQuery,
  { order, bounds }: Plan,
  ids: readonly string[],
  { pageSize, after, onDamage }: FindOptions,
): Promise<Found> {
  const reading = { descending: query.descending ?? false };
  const matches = matcherOf(query);
  const rows = await Promise.all(
    ids
      .filter((instanceId) => admitsId(bounds, instanceId))
      .map((instanceId) => readMatching(store, instanceId, undefined, { matches, onDamage })),
  );
  const placed = rows
    .filter((row) => row !== undefined)
    .map((one) => ({ ...one, position: positionIn(order, bounds, one.instanceId, one.row) }))
    .filter(({ position }) => after === undefined || isBefore(reading, after, position))
    .sort((a, b) => (isBefore(reading, a.position, b.position) ? -1 : 1));
  const found = placed.slice(0, pageSize);
  return { found, next: placed.length > pageSize ? found.at(-1)?.position : undefined };
}

/** The row of an instance, if the filter lets it through. */
async function readMatching(
  store: StoreReader,
  instanceId: string,
  value: Uint8Array | undefined,
  { matches, onDamage }: { readonly matches: Matcher; readonly onDamage: OnDamage },
): Promise<MatchingRow | undefined> {
  try {
    const bytes = value ?? (await store.get(rowKey(instanceId)));
    if (bytes === undefined) return undefined;
    const row = decodeRow(bytes);
    return matches(instanceId, row) ? { instanceId, row } : undefined;
  } catch (error) {
    tellDamage(instanceId, error, onDamage);
    return undefined;
  }
}

/**
 * The instances of the rows, as far as their payloads have room on one page; `cutAt` is the place of the
 * last one when others are left.
 */
async function withPayloads(
  store: StoreReader,
  found: readonly FoundRow[],
  onDamage: OnDamage,
): Promise<{ readonly instances: readonly Instance[]; readonly cutAt?: Buffer | undefined }> {
  const instances: Instance[] = [];
  const room = new PayloadRoom();
  for (let from = 0; from < found.length; from += viewPiece) {
    const rows = found.slice(from, from + viewPiece);
    const views = await Promise.all(rows.map((row) => view(store, row, onDamage)));
    for (const [at, instance] of views.entries()) {
      if (instance === undefined) continue;
      if (!room.admits(instance)) return { instances, cutAt: found[from + at - 1]?.position };
      instances.push(instance);
    }
  }
  return { instances };
}

/** Undefined for one that is gone by now. */
async function view(
  store: StoreReader,
  found: FoundRow,
  onDamage: OnDamage,
): Promise<Instance | undefined> {
  const { instanceId, row } = found;
  try {
    const snapshot = await readWhole(store, instanceId, row);
    return snapshot && instanceOf(instanceId, snapshot, true);
  } catch (error) {
    tellDamage(instanceId, error, onDamage);
    return withoutPayloads(found);
  }
}

function withoutPayloads({ instanceId, row }: FoundRow): Instance {
  return instanceOf(instanceId, { row, startRecord: undefined, endRecord: undefined }, false);
}

/** @throws whatever is no damage */
function tellDamage(instanceId: string, error: unknown, onDamage: OnDamage): void {
  if (!isDamage(error)) throw error;
  onDamage(instanceId, error);
}

/**
 * How many instances a page has at most. 0 is what a client sends that says nothing.
 * @throws INVALID_ARGUMENT
 */
export function requirePageSize(pageSize: number | undefined): number {
  if (pageSize === undefined || pageSize === 0) return defaultPageSize;
  if (Number.isSafeInteger(pageSize) && pageSize > 0) return Math.min(pageSize, limits.listPage);
  throw new EngineError("INVALID_ARGUMENT", "the page size is not a number of instances", {
    details: { field: "pageSize" },
  });
}
