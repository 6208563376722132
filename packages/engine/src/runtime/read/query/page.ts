// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import type { Instance, ListPage, ListQuery } from "@pawl/protocol/port";
import type { InstanceRow } from "@pawl/protocol/store";
import { EngineError, isEngineError } from "../../../errors.js";
import { decodeRow } from "../../../store/codec.js";
import { indexedId } from "../../../store/index/index-key.js";
import { instanceIdOf, rowKey } from "../../../store/key.js";
import type { Store, StoreReader } from "../../../store/store.js";
import { readWhole } from "../reader.js";
import { instanceOf } from "../view.js";
import { admitsId } from "./bounds.js";
import { type Matcher, matcherOf, requireQuery } from "./filter.js";
import { Merge } from "./merge.js";
import { positionOf, tokenOf } from "./page-token.js";
import { planOf } from "./plan.js";

/**
 * Entries that one page looks at, at most, where no index has the whole filter. A page may be short,
 * or empty, and still have a next one.
 */
const scanLimit = 10_000;
/** Rows that are read side by side. */
const pieceSize = 128;
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
): Promise<ListPage> {
  requireQuery(query);
  const after = positionOf(query);
  const pageSize = Math.min(requirePageSize(query.pageSize), limits.listPage);
  const moment = store.snapshot();
  try {
    const { found, next } = await find(moment, query, { pageSize, after, onDamage });
    const instances = await Promise.all(
      found.map((row) => view(moment, row, query.payloads ?? true, onDamage)),
    );
    const page = { instances: instances.filter((instance) => instance !== undefined) };
    return next === undefined ? page : { ...page, nextPageToken: tokenOf(query, next) };
  } finally {
    await moment.close();
  }
}

/** A row with its id. */
export interface FoundRow {
  readonly instanceId: string;
  readonly row: InstanceRow;
}

/** True when an execution has ended: no continue-as-new will replace it. */
export function isLasting(row: InstanceRow): boolean {
  return row.completedAt !== 0n;
}

/** How far to look. */
export interface FindOptions {
  readonly pageSize: number;
  /** Go on after this position. */
  readonly after: Buffer | undefined;
  readonly onDamage: OnDamage;
}

/** The next rows that a filter lets through, and the position to go on from; none at the end. */
export async function find(
  store: StoreReader,
  query: ListQuery,
  { pageSize, after, onDamage }: FindOptions,
): Promise<{ readonly found: readonly FoundRow[]; readonly next: Buffer | undefined }> {
  const { kind, runs, bounds } = await planOf(store, query);
  const matches = matcherOf(query);
  const descending = query.descending ?? false;
  const merge = new Merge(store, runs, { descending, after, expected: pageSize });
  const found: FoundRow[] = [];
  for (let scanned = 0; ; ) {
    // As long as all are let through, no more are read than are needed.
    const wanted = scanned === found.length ? pageSize - found.length : pieceSize;
    const entries = await merge.take(Math.min(wanted, pieceSize, scanLimit - scanned));
    scanned += entries.length;
    const rows = await Promise.all(
      entries.map((entry) => {
        const instanceId = kind === "row" ? instanceIdOf(entry.key) : indexedId(kind, entry.key);
        if (!admitsId(bounds, instanceId)) return undefined;
        const value = kind === "row" ? entry.value : undefined;
        return readMatching(store, instanceId, value, { matches, onDamage });
      }),
    );
    for (const [at, row] of rows.entries()) {
      if (row === undefined) continue;
      found.push(row);
      if (found.length < pageSize) continue;
      const isLast = at === rows.length - 1 && (await merge.isAtEnd());
      return { found, next: isLast ? undefined : entries[at]?.position };
    }
    if (await merge.isAtEnd()) return { found, next: undefined };
    if (scanned >= scanLimit) return { found, next: entries.at(-1)?.position };
  }
}

/** The row of an instance, if the filter lets it through. */
async function readMatching(
  store: StoreReader,
  instanceId: string,
  value: Uint8Array | undefined,
  { matches, onDamage }: { readonly matches: Matcher; readonly onDamage: OnDamage },
): Promise<FoundRow | undefined> {
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

async function view(
  store: StoreReader,
  { instanceId, row }: FoundRow,
  payloads: boolean,
  onDamage: OnDamage,
): Promise<Instance | undefined> {
  const bare = { row, startRecord: undefined, endRecord: undefined };
  if (!payloads) return instanceOf(instanceId, bare, false);
  try {
    const snapshot = await readWhole(store, instanceId, row);
    return snapshot && instanceOf(instanceId, snapshot, true);
  } catch (error) {
    tellDamage(instanceId, error, onDamage);
    return instanceOf(instanceId, bare, false);
  }
}

/** @throws whatever is no damage */
function tellDamage(instanceId: string, error: unknown, onDamage: OnDamage): void {
  if (!isEngineError(error) || error.code !== "INSTANCE_DAMAGED") throw error;
  onDamage(instanceId, error);
}

/** 0 is what a client sends that says nothing. */
function requirePageSize(pageSize: number | undefined): number {
  if (pageSize === undefined || pageSize === 0) return defaultPageSize;
  if (Number.isSafeInteger(pageSize) && pageSize > 0) return pageSize;
  throw new EngineError("INVALID_ARGUMENT", "the page size is not a number of instances", {
    details: { field: "pageSize" },
  });
}
