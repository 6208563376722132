// SPDX-License-Identifier: Apache-2.0

import { decodeFrames, type HistoryEvent } from "@pawl/protocol";
import type { Instance, InstanceChange, WatchOptions } from "@pawl/protocol/port";
import { EngineError, isUnavailable } from "../../errors.js";
import { chainOf, decodeChunk } from "../../store/codec.js";
import { damaged } from "../../store/damaged.js";
import { chunkKey, sequenceOf } from "../../store/key.js";
import type { Store } from "../../store/store.js";
import type { Snapshot } from "../mailbox.js";
import type { Runtime } from "../runtime.js";
import type { Supervisor } from "../supervisor.js";
import { readOlderSnapshot } from "./executions.js";
import { readSnapshot } from "./reader.js";
import { encodeToken, parseInstanceToken, type SeenInstance, stateSum } from "./resume-token.js";
import { instanceOf } from "./view.js";
import { WakeUp } from "./wake-up.js";

/**
 * The durable states of an instance: the present one, then each newer one that the reader keeps up
 * with, and the history that each adds. Ends after the end of the instance, or when it is purged. An
 * execution whose id was used again before its end was told is told to that end, if it is kept.
 * @throws INSTANCE_NOT_FOUND, INVALID_ARGUMENT, CANCELLED, SHUTTING_DOWN
 */
export async function* watch(
  supervisor: Supervisor,
  instanceId: string,
  options: WatchOptions,
): AsyncGenerator<InstanceChange, void, undefined> {
  const payloads = options.payloads ?? true;
  const { resumeToken } = options;
  let seen = resumeToken === undefined ? undefined : parseInstanceToken(resumeToken);
  const history = options.history === true ? new HistoryReader(instanceId, seen) : undefined;
  const wakeUp = new WakeUp(supervisor, options.signal);
  wakeUp.onStop(supervisor.waiters.add(instanceId, wakeUp.set));
  let isFirst = true;
  try {
    for (;;) {
      wakeUp.check();
      const found = await whenOpen(supervisor, () =>
        look(supervisor.require(), { instanceId, seen, history, payloads }),
      );
      if (found === "gone") {
        if (isFirst) throw unknown(instanceId);
        return;
      }
      if (found !== undefined) {
        isFirst = false;
        const { instance, next, events } = found;
        const restarted = seen !== undefined && seen.executionId !== next.executionId;
        if (seen === undefined || restarted || seen.state !== next.state) {
          seen = next;
          const token = { restarted, resumeToken: encodeToken(next) };
          yield { instance, ...token, ...(events === undefined ? {} : { events }) };
        }
        if (instance.completedAt !== undefined) return;
      }
      await wakeUp.next();
    }
  } finally {
    wakeUp.stop();
  }
}

interface Found {
  readonly instance: Instance;
  readonly next: SeenInstance;
  readonly events: readonly HistoryEvent[] | undefined;
}

interface Looked {
  readonly instanceId: string;
  readonly seen: SeenInstance | undefined;
  readonly history: HistoryReader | undefined;
  readonly payloads: boolean;
}

/** The instance as it is, and what its history gained. */
async function look(
  runtime: Runtime,
  { instanceId, seen, history, payloads }: Looked,
): Promise<Found | "gone"> {
  for (let missing: Snapshot | undefined; ; ) {
    const snapshot = await watched(runtime, instanceId, seen, payloads);
    if (snapshot === undefined) return "gone";
    const events = await history?.upTo(runtime.store, snapshot);
    if (history === undefined || events !== undefined) {
      const { executionId, eventCount } = snapshot.row;
      const next = { executionId, events: eventCount, state: sumOf(instanceId, snapshot) };
      return { instance: instanceOf(instanceId, snapshot, payloads), next, events };
    }
    // Another execution may have taken its place while it was read; else it is damaged.
    if (missing?.row.executionId === snapshot.row.executionId) {
      throw damaged(`history of '${instanceId}' lacks a chunk`);
    }
    missing = snapshot;
    // What deletes it may be on disk before its commit is known to be.
    const live = runtime.mailboxes.peek(instanceId);
    if (live !== undefined) await runtime.durable(live);
  }
}

/** The execution that was seen until its end has been told, while it is kept; then the present one. */
async function watched(
  runtime: Runtime,
  instanceId: string,
  seen: SeenInstance | undefined,
  payloads: boolean,
): Promise<Snapshot | undefined> {
  const newest = await present(runtime, instanceId, payloads);
  if (newest === undefined || seen === undefined) return newest;
  const { executionId } = seen;
  if (newest.row.executionId === executionId) return newest;
  const older = await readOlderSnapshot(runtime.store, instanceId, executionId, payloads);
  return older === undefined || sumOf(instanceId, older) === seen.state ? newest : older;
}

function sumOf(instanceId: string, snapshot: Snapshot): number {
  return stateSum(instanceOf(instanceId, snapshot, true));
}

/** What `read` finds; undefined while the store is being reopened. */
export async function whenOpen<T>(
  supervisor: Supervisor,
  read: () => Promise<T>,
): Promise<T | undefined> {
  if (!supervisor.isReady()) return undefined;
  const runtime = supervisor.require();
  try {
    return await read();
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    // It is opened again, and that wakes who watches: until the next change nobody else would.
    runtime.storeFailed(error);
    return undefined;
  }
}

/** What is on disk of the present execution of an instance; at once when it is in memory. */
export function present(
  { mailboxes, store }: Runtime,
  instanceId: string,
  payloads: boolean,
): Snapshot | undefined | Promise<Snapshot | undefined> {
  const live = mailboxes.peek(instanceId);
  return live === undefined ? readSnapshot(store, instanceId, payloads) : live.snapshot;
}

/** Reads what a history gains, chunk by chunk, and checks the chain on the way. */
class HistoryReader {
  readonly #instanceId: string;
  #executionId: string | undefined;
  #events: number;
  #chunks = 0;
  #chain = 0;

  constructor(instanceId: string, seen: SeenInstance | undefined) {
    this.#instanceId = instanceId;
    this.#executionId = seen?.executionId;
    this.#events = seen?.events ?? 0;
  }

  /**
   * The events up to and with a snapshot that were not read yet. Undefined when the snapshot's
   * execution is gone.
   * @throws INSTANCE_DAMAGED
   */
  async upTo(store: Store, { row }: Snapshot): Promise<HistoryEvent[] | undefined> {
    if (this.#executionId !== row.executionId) {
      this.#executionId = row.executionId;
      this.#events = 0;
      this.#chunks = 0;
      this.#chain = 0;
    }
    if (this.#chunks === row.chunkCount) return [];
    const id = this.#instanceId;
    const entries = await store.range({
      gte: chunkKey(id, row.generation, this.#chunks),
      lt: chunkKey(id, row.generation, row.chunkCount),
    });
    const events: HistoryEvent[] = [];
    let { chain, chunks } = { chain: this.#chain, chunks: this.#chunks };
    let at = this.#events;
    for (const [key, value] of entries) {
      const chunk = decodeChunk(value);
      chain = chainOf(chain, chunk.frames);
      if (sequenceOf(key) !== chunks || chunk.chain !== chain) {
        throw damaged(`history of '${id}' is broken at event ${chunk.firstEvent}`);
      }
      chunks += 1;
      const end = chunk.firstEvent + chunk.eventCount;
      if (end <= at) continue;
      const fresh = decodeFrames(chunk.frames).slice(at - chunk.firstEvent);
      for (const record of fresh) events.push(record.event);
      at = end;
    }
    if (chunks !== row.chunkCount) return undefined;
    this.#chunks = chunks;
    this.#chain = chain;
    this.#events = at;
    return events;
  }
}

function unknown(instanceId: string): EngineError {
  return new EngineError("INSTANCE_NOT_FOUND", `no such instance exists: '${instanceId}'`, {
    details: { instanceId },
  });
}
