// SPDX-License-Identifier: Apache-2.0

import type { ServerHttp2Stream } from "node:http2";
import { types } from "node:util";
import { TurnoverMap } from "@pawl/protocol";

/** The name of the symbol under which Node keeps what it knows of a session. */
const stateName = "state";

/** A `TurnoverMap` of streams by their ids that does all that a `Map` does. */
export class StreamTable<T = ServerHttp2Stream> extends Map<number, T> {
  readonly #streams = new TurnoverMap<number, T>();

  override get size(): number {
    return this.#streams.size;
  }

  override has(id: number): boolean {
    return this.#streams.has(id);
  }

  override get(id: number): T | undefined {
    return this.#streams.get(id);
  }

  override set(id: number, stream: T): this {
    this.#streams.set(id, stream);
    return this;
  }

  override delete(id: number): boolean {
    return this.#streams.delete(id);
  }

  override clear(): void {
    this.#streams.clear();
  }

  override forEach(visit: (stream: T, id: number, table: this) => void): void {
    for (const [id, stream] of this) visit(stream, id, this);
  }

  override keys(): MapIterator<number> {
    return this.#copy().keys();
  }

  override values(): MapIterator<T> {
    return this.#copy().values();
  }

  override entries(): MapIterator<[number, T]> {
    return this.#copy().entries();
  }

  override [Symbol.iterator](): MapIterator<[number, T]> {
    return this.entries();
  }

  #copy(): Map<number, T> {
    return new Map(this.#streams);
  }
}

/**
 * Has a new session keep its streams in a map that holds back no garbage (see `TurnoverMap`). The old tables of
 * Node's own `Map` keep most streams of a busy connection, and all that belongs to them, until the next major
 * collection. Node has no option for it: it is the property in which it keeps them. A session that does not look
 * as it is known to is left as it is.
 * @returns whether it was done
 */
export function replaceStreamTable(session: object): boolean {
  const symbol = Object.getOwnPropertySymbols(session).find(
    ({ description }) => description === stateName,
  );
  const state: unknown = symbol === undefined ? undefined : Reflect.get(session, symbol);
  if (typeof state !== "object" || state === null || !("streams" in state)) return false;
  // Node's own maps have no prototype in common with others.
  if (!types.isMap(state.streams) || state.streams.size > 0) return false;
  return Reflect.set(state, "streams", new StreamTable());
}
