// SPDX-License-Identifier: Apache-2.0

import { toEnvelope } from "@pawl/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MessageReader } from "./message-reader.js";

describe("MessageReader", () => {
  test("finds the messages of a stream, wherever it is cut", () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 30 })), (sent, cuts) => {
        let rest = Buffer.concat(sent.map(toEnvelope));
        const reader = new MessageReader();
        const read: Buffer[] = [];
        for (const cut of [...cuts, rest.byteLength]) {
          read.push(...reader.read(rest.subarray(0, cut)));
          rest = rest.subarray(cut);
        }
        read.push(...reader.read(rest));
        expect(read.map((message) => [...message])).toEqual(sent.map((message) => [...message]));
      }),
    );
  });

  test("refuses a compressed message, which nobody asked for", () => {
    expect(() => new MessageReader().read(Buffer.from([1, 0, 0, 0, 0]))).toThrow("compressed");
  });
});
