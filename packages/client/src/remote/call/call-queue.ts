// SPDX-License-Identifier: Apache-2.0

import { create, toBinary } from "@bufbuild/protobuf";
import { CallRequestSchema, type UnaryCall } from "@pawl/protocol";

/** Bytes of requests after which a message is full. */
const messageBytes = 1024 * 1024;

/** What is to be sent on a stream of calls, in order. */
export class CallQueue {
  #calls = new Map<number, UnaryCall>();
  #cancelled: number[] = [];

  /** Adds a call. */
  push(call: UnaryCall): void {
    this.#calls.set(call.number, call);
  }

  /** Takes back a call, if it has not left; else says that its answer is not waited for. */
  cancel(number: number): "taken back" | "told" {
    if (this.#calls.delete(number)) return "taken back";
    this.#cancelled.push(number);
    return "told";
  }

  /** The next message, and the calls in it; undefined when there is nothing to send. */
  take(): { readonly message: Uint8Array; readonly numbers: readonly number[] } | undefined {
    if (this.#calls.size === 0 && this.#cancelled.length === 0) return undefined;
    const calls: UnaryCall[] = [];
    let bytes = 0;
    for (const [number, call] of this.#calls) {
      if (bytes >= messageBytes) break;
      this.#calls.delete(number);
      calls.push(call);
      bytes += call.request.byteLength;
    }
    const request = create(CallRequestSchema, { calls, cancelledNumbers: this.#cancelled });
    this.#cancelled = [];
    return {
      message: toBinary(CallRequestSchema, request),
      numbers: calls.map(({ number }) => number),
    };
  }
}
