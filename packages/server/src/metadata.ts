// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import type { Components } from "./component/components.js";

/** Facts about this server, as Dapr's metadata API shows them. */
export interface MetadataView {
  readonly id: string;
  readonly runtimeVersion: string;
  /** Entries that callers have set, and `daprRuntimeVersion`. */
  readonly extended: Readonly<Record<string, string>>;
  readonly connectedWorkers: number;
  /** Empty when there is none but the built-in one, as in Dapr. */
  readonly components: readonly ComponentView[];
}

/** A component that is served. */
export interface ComponentView {
  readonly name: string;
  readonly type: string;
  readonly version: string;
}

/** The version of Dapr's API that is spoken; SDKs compare it with what they need. */
const daprRuntimeVersion = "1.19.0";

function sizeOf(key: string, value: string): number {
  return Buffer.byteLength(key) + Buffer.byteLength(value);
}

/** The server's metadata. Entries that callers set live as long as the process. */
export class ServerMetadata {
  readonly #appId: string;
  readonly #components: Components;
  readonly #entries = new Map<string, string>();
  #sizeBytes = 0;

  constructor(appId: string, components: Components) {
    this.#appId = appId;
    this.#components = components;
  }

  /** Everything as it is now. */
  read(): MetadataView {
    const served = this.#components.list();
    const components = served.length > 1 ? served : [];
    return {
      id: this.#appId,
      runtimeVersion: daprRuntimeVersion,
      extended: { ...Object.fromEntries(this.#entries), daprRuntimeVersion },
      connectedWorkers: this.#components.workerCount(),
      components: components.map(({ name, type, version }) => ({ name, type, version })),
    };
  }

  /** Sets an entry. Past 1,000 of them, or 64 MiB, the oldest are dropped. */
  set(key: string, value: string): void {
    this.#drop(key);
    this.#entries.set(key, value);
    this.#sizeBytes += sizeOf(key, value);
    for (const oldest of this.#entries.keys()) {
      const isMany = this.#entries.size > limits.metadataEntries;
      if (!isMany && this.#sizeBytes <= limits.metadataBytes) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#sizeBytes -= sizeOf(key, value);
  }
}
