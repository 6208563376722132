// SPDX-License-Identifier: Apache-2.0

import type { FeedItem, InstanceFilter, WatchAllOptions } from "@pawl/protocol/port";
import { decodeRow, type Row } from "../../store/codec.js";
import { isDamage } from "../../store/damaged.js";
import { instanceIdOf, kindRange, partitionCount } from "../../store/key.js";
import { following } from "../../store/scan.js";
import type { Snapshot } from "../mailbox.js";
import type { Runtime } from "../runtime.js";
import type { Supervisor } from "../supervisor.js";
import { admitsId, type Bounds, boundsOf } from "./query/bounds.js";
import { conditionOf } from "./query/condition.js";
import { type Matcher, matcherOf, requireFilter } from "./query/filter.js";
import { encodeToken, parseChangesToken, type SeenChanges } from "./resume-token.js";
import { instanceOf } from "./view.js";
import { WakeUp } from "./wake-up.js";
import { present, whenOpen } from "./watch.js";

/** Rows that a scan reads at a time. */
const scanRows = 256;
/** Items that are read ahead of the reader, at most. */
const stepItems = 64;

/**
 * Every instance of a filter whenever a commit changes it. The watcher keeps a place in the log of
 * changes, no queue: a slow one costs nothing, and takes several changes of one instance as one.
 * Before the log, or instead of it where it does not reach back far enough, comes a scan of the rows.
 * @throws INVALID_ARGUMENT, CANCELLED, SHUTTING_DOWN
 */
export async function* watchAll(
  supervisor: Supervisor,
  filter: InstanceFilter,
  options: WatchAllOptions,
): AsyncGenerator<FeedItem, void, undefined> {
  requireFilter(filter);
  const feed = new Feed(filter, options.payloads ?? true);
  let seen = beginning(supervisor.require(), options);
  const wakeUp = new WakeUp(supervisor, options.signal);
  wakeUp.onStop(supervisor.waiters.addWatcher(wakeUp.set));
  let isCaughtUp = false;
  try {
    for (;;) {
      wakeUp.check();
      const step = await whenOpen(supervisor, () => feed.step(supervisor.require(), seen));
      if (step !== undefined) {
        for (const { item, after } of step.items) {
          yield { ...item, resumeToken: encodeToken(after) };
          wakeUp.check();
        }
        seen = step.after;
        if (step.more) continue;
        if (!isCaughtUp) yield { kind: "caughtUp", resumeToken: encodeToken(seen) };
        isCaughtUp = true;
      }
      await wakeUp.next();
    }
  } finally {
    wakeUp.stop();
  }
}

function beginning(runtime: Runtime, { resumeToken, existing }: WatchAllOptions): SeenChanges {
  const head = runtime.changes.head();
  if (resumeToken !== undefined) return parseChangesToken(resumeToken, head);
  const now = { change: head + 1, taken: 0 };
  return existing === true ? { ...now, scan: { since: 0, after: "" } } : now;
}

type Bare = FeedItem extends infer T
  ? T extends FeedItem
    ? Omit<T, "resumeToken">
    : never
  : never;

/** Some items, each with what has been seen after it. */
interface Step {
  readonly items: readonly { readonly item: Bare; readonly after: SeenChanges }[];
  readonly after: SeenChanges;
  /** There is more at once. */
  readonly more: boolean;
}

/** Reads on from any place. */
class Feed {
  readonly #matches: Matcher;
  readonly #bounds: Bounds;
  readonly #payloads: boolean;

  constructor(filter: InstanceFilter, payloads: boolean) {
    this.#matches = matcherOf(filter);
    this.#bounds = boundsOf(conditionOf(filter));
    this.#payloads = payloads;
  }

  step(runtime: Runtime, seen: SeenChanges): Promise<Step> {
    if (seen.scan !== undefined) return this.#scan(runtime, seen, seen.scan);
    if (!runtime.changes.reaches(seen.change)) return Promise.resolve(resync(runtime, seen));
    return this.#follow(runtime, seen);
  }

  async #follow(runtime: Runtime, seen: SeenChanges): Promise<Step> {
    const changes = await runtime.changes.from(seen.change);
    const items: { item: Bare; after: SeenChanges }[] = [];
    let after = seen;
    for (const { change, written, purged, isBlurred } of changes) {
      const skip = change === seen.change ? seen.taken : 0;
      const ids = [...written, ...purged];
      for (const [index, instanceId] of ids.entries()) {
        if (index < skip) continue;
        const isLast = index + 1 === ids.length;
        after = isLast ? { change: change + 1, taken: 0 } : { change, taken: index + 1 };
        const mayPurge = isBlurred === true || index >= written.length;
        const item = await this.#itemOf(runtime, instanceId, change, mayPurge);
        if (item !== undefined) items.push({ item, after });
        if (items.length === stepItems) return { items, after, more: true };
      }
      after = { change: change + 1, taken: 0 };
    }
    return { items, after, more: changes.length > 0 };
  }

  /** `mayPurge`: the change may have deleted it. What only a later one has deleted is told there. */
  async #itemOf(
    runtime: Runtime,
    instanceId: string,
    change: number,
    mayPurge: boolean,
  ): Promise<Bare | undefined> {
    if (!admitsId(this.#bounds, instanceId)) return undefined;
    const snapshot = await readable(runtime, instanceId, this.#payloads);
    if (snapshot === "damaged") return undefined;
    if (snapshot === undefined) return mayPurge ? { kind: "purged", instanceId } : undefined;
    // A newer change wrote this row: it is sent in that one's place.
    if (snapshot.row.changed !== change) return undefined;
    return this.#changed(instanceId, snapshot);
  }

  /** The next rows of a scan, in the order of their keys. */
  async #scan(
    runtime: Runtime,
    seen: SeenChanges,
    scan: NonNullable<SeenChanges["scan"]>,
  ): Promise<Step> {
    const { since } = scan;
    const entries = await rowsAfter(runtime, Buffer.from(scan.after, "base64url"));
    const items: { item: Bare; after: SeenChanges }[] = [];
    let after = seen;
    for (const [key, value] of entries) {
      after = { ...seen, scan: { since, after: Buffer.from(key).toString("base64url") } };
      const item = await this.#scanned(runtime, instanceIdOf(key), value, since, seen.change);
      if (item !== undefined) items.push({ item, after });
    }
    if (entries.length > 0) return { items, after, more: true };
    return { items, after: { change: seen.change, taken: seen.taken }, more: true };
  }

  async #scanned(
    runtime: Runtime,
    instanceId: string,
    value: Uint8Array,
    since: number,
    end: number,
  ): Promise<Bare | undefined> {
    const row = soundRow(value);
    if (row === undefined || !this.#takes(instanceId, row)) return undefined;
    if (since > 0 && row.changed < since) return undefined;
    const snapshot = await readable(runtime, instanceId, this.#payloads);
    if (snapshot === undefined || snapshot === "damaged") return undefined;
    // Changed since the scan began: the log has it.
    if (snapshot.row.changed >= end) return undefined;
    return this.#changed(instanceId, snapshot);
  }

  #changed(instanceId: string, snapshot: Snapshot): Bare | undefined {
    if (!this.#takes(instanceId, snapshot.row)) return undefined;
    return { kind: "changed", instance: instanceOf(instanceId, snapshot, this.#payloads) };
  }

  #takes(instanceId: string, row: Row): boolean {
    try {
      return this.#matches(instanceId, row);
    } catch (error) {
      if (isDamage(error)) return false;
      throw error;
    }
  }
}

/** The log does not reach back to the token's place: rows of newer changes are looked for instead. */
function resync(runtime: Runtime, { change }: SeenChanges): Step {
  const after = {
    change: runtime.changes.head() + 1,
    taken: 0,
    scan: { since: change, after: "" },
  };
  return { items: [{ item: { kind: "resynced" }, after }], after, more: true };
}

async function readable(
  runtime: Runtime,
  instanceId: string,
  payloads: boolean,
): Promise<Snapshot | "damaged" | undefined> {
  try {
    return await present(runtime, instanceId, payloads);
  } catch (error) {
    if (isDamage(error)) return "damaged";
    throw error;
  }
}

function soundRow(value: Uint8Array): Row | undefined {
  try {
    return decodeRow(value);
  } catch {
    // Damage is reported where the instance is used.
    return undefined;
  }
}

/** Some rows after a key, over the partitions; none at the end. */
async function rowsAfter(
  runtime: Runtime,
  after: Buffer,
): Promise<(readonly [Uint8Array, Uint8Array])[]> {
  const first = after.length === 0 ? 0 : after.readUInt16BE(0);
  for (let partition = first; partition < partitionCount; partition += 1) {
    const { gte, lt } = kindRange("row", partition);
    const from = partition === first && after.length > 0 ? following(after) : gte;
    const entries = await runtime.store.range({ gte: from, lt, limit: scanRows });
    if (entries.length > 0) return entries;
  }
  return [];
}
