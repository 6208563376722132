// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Random } from "../../random.ts";
import type { Operation } from "./trace.ts";

/** What a power cut leaves of that which was not synced. */
export const policies = [
  "all kept",
  "unsynced data dropped",
  "a random part of unsynced data kept",
  "a random part kept, the rest zeros or noise",
  "folder changes lost from a point on",
  "any folder changes lost",
] as const;

/** One of `policies`. */
export type Policy = (typeof policies)[number];

/** A file, whatever its names are. */
class File {
  /** What is surely on disk. */
  readonly #durable = new Content();
  #pending: Change[] = [];
  /** As the process sees it. */
  #length = 0;

  get length(): number {
    return this.#length;
  }

  change(change: Change): void {
    this.#pending.push(change);
    this.#length = "length" in change ? change.length : Math.max(this.#length, endOf(change));
  }

  sync(): void {
    for (const change of this.#pending) this.#durable.apply(change);
    this.#pending = [];
  }

  left(policy: Policy, random: Random): Uint8Array {
    if (policy === "unsynced data dropped") return this.#durable.copy().bytes();
    const content = this.#durable.copy();
    const kept = policy === "all kept" ? this.#pending : partOf(this.#pending, random);
    for (const change of kept) content.apply(change);
    if (policy !== "a random part kept, the rest zeros or noise") return content.bytes();
    const isNoise = random.chance(0.5);
    const rest = Buffer.alloc(Math.max(0, this.#length - content.bytes().length));
    if (isNoise) for (let at = 0; at < rest.length; at += 1) rest[at] = random.integer(0, 255);
    return Buffer.concat([content.bytes(), rest]);
  }
}

type Change = { readonly at: number; readonly bytes: Uint8Array } | { readonly length: number };

function endOf(change: { readonly at: number; readonly bytes: Uint8Array }): number {
  return change.at + change.bytes.length;
}

/** Bytes that grow; not copied at each change. */
class Content {
  #room: Uint8Array;
  #length: number;

  constructor(bytes: Uint8Array = new Uint8Array()) {
    this.#room = bytes;
    this.#length = bytes.length;
  }

  apply(change: Change): void {
    const end = "length" in change ? change.length : Math.max(this.#length, endOf(change));
    if (end > this.#room.length) {
      const room = new Uint8Array(Math.max(end, this.#room.length * 2));
      room.set(this.bytes());
      this.#room = room;
    }
    // What lies beyond the end reads as zeros once the file grows again.
    if (end < this.#length) this.#room.fill(0, end, this.#length);
    if ("bytes" in change) this.#room.set(change.bytes, change.at);
    this.#length = end;
  }

  bytes(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }

  copy(): Content {
    return new Content(Uint8Array.from(this.bytes()));
  }
}

/** A change of names. */
type Naming =
  | { readonly kind: "create"; readonly path: string; readonly file: File }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "unlink"; readonly path: string }
  | { readonly kind: "mkdir" };

interface OpenFile {
  readonly path: string;
  /** Undefined: a folder. */
  readonly file: File | undefined;
  readonly isAppending: boolean;
  position: number;
}

/**
 * A folder's files, with what of them is on disk for sure. A file's first sync makes its name durable
 * (as on ext4, XFS and Btrfs); a folder's sync, every name in it.
 */
export class Disk {
  readonly #root: string;
  readonly #open = new Map<number, OpenFile>();
  /** Names as the process sees them, and as they are on disk for sure. */
  readonly #names = new Map<string, File>();
  #durableNames = new Map<string, File>();
  #pendingNames: Naming[] = [];

  /** `root`: only what lies in this folder is looked at. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Does what a traced process did. */
  apply(operation: Operation): void {
    switch (operation.kind) {
      case "open":
        this.#openFile(operation.fd, operation.path, operation.flags);
        break;
      case "close":
        this.#open.delete(operation.fd);
        break;
      case "write":
        this.#write(operation.fd, operation.bytes, operation.at);
        break;
      case "truncate":
        this.#open.get(operation.fd)?.file?.change({ length: operation.length });
        break;
      case "sync":
        this.#sync(operation.fd);
        break;
      case "rename":
        this.#rename(operation.from, operation.to);
        break;
      case "unlink":
        if (!this.#names.delete(operation.path)) break;
        this.#pendingNames.push({ kind: "unlink", path: operation.path });
        break;
      default:
    }
  }

  /** Writes what a power cut at this moment leaves into a new folder. */
  leave(folder: string, policy: Policy, random: Random): void {
    mkdirSync(folder, { recursive: true });
    for (const [path, file] of this.#namesLeft(policy, random)) {
      const place = join(folder, path.slice(this.#root.length));
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, file.left(policy, random));
    }
  }

  #openFile(fd: number, path: string, flags: string): void {
    if (!path.startsWith(`${this.#root}/`) && path !== this.#root) return;
    const isWriting = /O_WRONLY|O_RDWR/.test(flags);
    let file = this.#names.get(path);
    if (file === undefined && isWriting) {
      file = new File();
      this.#names.set(path, file);
      this.#pendingNames.push({ kind: "create", path, file });
    } else if (file !== undefined && flags.includes("O_TRUNC")) {
      file.change({ length: 0 });
    }
    this.#open.set(fd, { path, file, isAppending: flags.includes("O_APPEND"), position: 0 });
  }

  #write(fd: number, bytes: Uint8Array, at: number | undefined): void {
    const open = this.#open.get(fd);
    if (open?.file === undefined) return;
    const { file } = open;
    const end = open.isAppending ? file.length : open.position;
    const from = at ?? end;
    file.change({ at: from, bytes });
    if (at === undefined) open.position = from + bytes.length;
  }

  #sync(fd: number): void {
    const open = this.#open.get(fd);
    if (open === undefined) return;
    const { file, path } = open;
    file?.sync();
    const isMeant = (naming: Naming): boolean =>
      file === undefined ? isIn(naming, path) : naming.kind === "create" && naming.file === file;
    const meant = this.#pendingNames.filter(isMeant);
    this.#pendingNames = this.#pendingNames.filter((naming) => !isMeant(naming));
    this.#durableNames = applyNames(this.#durableNames, meant);
  }

  #rename(from: string, to: string): void {
    const file = this.#names.get(from);
    if (file === undefined) return;
    this.#names.delete(from);
    this.#names.set(to, file);
    this.#pendingNames.push({ kind: "rename", from, to });
  }

  #namesLeft(policy: Policy, random: Random): Map<string, File> {
    const pending = this.#pendingNames;
    if (policy === "folder changes lost from a point on") {
      return applyNames(this.#durableNames, pending.slice(0, random.integer(0, pending.length)));
    }
    if (policy === "any folder changes lost") {
      return applyNames(
        this.#durableNames,
        pending.filter(() => random.chance(0.5)),
      );
    }
    return applyNames(this.#durableNames, pending);
  }
}

function isIn(naming: Naming, folder: string): boolean {
  if (naming.kind === "mkdir") return false;
  return dirname(naming.kind === "rename" ? naming.to : naming.path) === folder;
}

function applyNames(names: ReadonlyMap<string, File>, changes: readonly Naming[]) {
  const after = new Map(names);
  for (const change of changes) {
    if (change.kind === "create") after.set(change.path, change.file);
    if (change.kind === "unlink") after.delete(change.path);
    if (change.kind !== "rename") continue;
    const file = after.get(change.from);
    if (file === undefined) continue;
    after.delete(change.from);
    after.set(change.to, file);
  }
  return after;
}

/** The first changes, and a piece of the one after them. */
function partOf(pending: readonly Change[], random: Random): Change[] {
  const count = random.integer(0, pending.length);
  const next = pending[count];
  if (next === undefined || "length" in next) return pending.slice(0, count);
  const bytes = next.bytes.subarray(0, random.integer(0, next.bytes.length));
  return [...pending.slice(0, count), { at: next.at, bytes }];
}
