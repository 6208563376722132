// SPDX-License-Identifier: Apache-2.0

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type LostBlock, LostBlockSchema } from "@pawl/protocol/store";
import { damaged } from "../damaged.js";
import { kindRange, partitions, rowKey } from "../key.js";
import { mayMatch } from "../level/bloom-filter.js";
import { scan } from "../scan.js";
import { type KeyRange, put, type StoreReader, type StoreWrite } from "../store.js";
import { freeIdOf, freeRange, freeWrite, lostKey, lostRange } from "./lost-keys.js";

/** Everything that a store may have lost, for as long as it lives: what was in lost blocks. */
export class LostBlocks {
  readonly #blocks: LostBlock[] = [];
  readonly #free = new Set<string>();

  /** Reads what is known of a store. @throws INSTANCE_DAMAGED */
  static async read(store: StoreReader): Promise<LostBlocks> {
    const lost = new LostBlocks();
    for await (const entries of scan(store, lostRange)) {
      for (const [, value] of entries) lost.add(decodeLost(value));
    }
    if (lost.isEmpty) return lost;
    for await (const entries of scan(store, freeRange)) {
      for (const [key] of entries) {
        lost.free(freeIdOf(key));
      }
    }
    return lost;
  }

  /** True when nothing was ever lost. */
  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  /** All of them, the first found first. */
  get all(): readonly LostBlock[] {
    return this.#blocks;
  }

  /** One more was found. Ids that it may hold are free no longer. */
  add(block: LostBlock): void {
    this.#blocks.push(block);
    for (const id of [...this.#free]) if (mayHold(block, rowKey(id))) this.#free.delete(id);
  }

  /** Notes that an id is free, whatever was lost. */
  free(instanceId: string): void {
    this.#free.add(instanceId);
  }

  /** Ids that are free, whatever was lost. */
  get freeIds(): ReadonlySet<string> {
    return this.#free;
  }

  /** A lost block that may have had this key. */
  find(key: Uint8Array): LostBlock | undefined {
    return this.#blocks.find((block) => mayHold(block, key));
  }

  /** True when one has very likely had this key: its filter tells. */
  names(key: Uint8Array): boolean {
    return this.#blocks.some((block) => block.filter.length > 0 && mayHold(block, key));
  }

  /** One of those that may have had the row of any instance whatever; undefined: there are none. */
  findHidingAll(): LostBlock | undefined {
    const hiding = partitions.map((partition) => {
      const { gte, lt } = kindRange("row", partition);
      return this.#blocks.find(
        ({ after, upTo, filter }) =>
          filter.length === 0 && Buffer.compare(after, gte) < 0 && Buffer.compare(upTo, lt) >= 0,
      );
    });
    return hiding.includes(undefined) ? undefined : hiding[0];
  }

  /** A lost block that may have had the row of an instance. */
  findRow(instanceId: string): LostBlock | undefined {
    return this.#free.has(instanceId) ? undefined : this.find(rowKey(instanceId));
  }

  /** A lost block that may have had keys of this range. */
  findIn({ gte, lt }: Pick<KeyRange, "gte" | "lt">): LostBlock | undefined {
    return this.#blocks.find(
      ({ after, upTo }) => Buffer.compare(after, lt) < 0 && Buffer.compare(upTo, gte) >= 0,
    );
  }

  /** True when messages on their way may have been lost. */
  get mayHaveHeldMessages(): boolean {
    return partitions.some(
      (partition) => this.findIn(kindRange("outbox", partition)) !== undefined,
    );
  }

  /** Everything that is known, as it is written into a new store. */
  writes(): StoreWrite[] {
    const blocks = this.#blocks.map((block, number): StoreWrite => {
      return put(lostKey(number), toBinary(LostBlockSchema, block));
    });
    return [...blocks, ...[...this.#free].map(freeWrite)];
  }
}

/** What could not be read of a table. */
export function lostBlockOf(facts: {
  readonly file: string;
  readonly offset: number;
  readonly isRest: boolean;
  readonly after: Uint8Array | undefined;
  readonly upTo: Uint8Array;
  readonly filter: Uint8Array | undefined;
  readonly foundAt: number;
}): LostBlock {
  return create(LostBlockSchema, {
    file: facts.file,
    offset: BigInt(facts.offset),
    isRest: facts.isRest,
    after: facts.after ?? new Uint8Array(),
    upTo: facts.upTo,
    filter: facts.filter ?? new Uint8Array(),
    foundAt: BigInt(facts.foundAt),
  });
}

/** True when the key may have been in the block. */
export function mayHold({ after, upTo, filter }: LostBlock, key: Uint8Array): boolean {
  if (Buffer.compare(key, after) <= 0 || Buffer.compare(key, upTo) > 0) return false;
  return filter.length === 0 || mayMatch(filter, key);
}

/** The place of a lost block, for people. */
export function describeLost({ file, offset, isRest }: LostBlock): string {
  if (!isRest) return `the block at byte ${offset} of ${file}, which cannot be read`;
  return offset === 0n
    ? `${file}, which cannot be read`
    : `what follows byte ${offset} of ${file}, which cannot be read`;
}

function decodeLost(bytes: Uint8Array): LostBlock {
  try {
    return fromBinary(LostBlockSchema, bytes);
  } catch (cause) {
    throw damaged("the list of what was lost cannot be decoded", cause);
  }
}
