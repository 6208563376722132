// SPDX-License-Identifier: Apache-2.0

import { create, toBinary } from "@bufbuild/protobuf";
import { InstanceRowSchema } from "@pawl/protocol/store";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeRow } from "./codec.js";
import { seal, unseal } from "./sealed.js";

const row = create(InstanceRowSchema, { generation: 1, workflow: "order", tags: { a: "b" } });
const damaged = expect.objectContaining({ code: "INSTANCE_DAMAGED" });

describe("unseal()", () => {
  test("gives back what was sealed", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (value) => {
        expect(Buffer.from(unseal(seal(value), "value"))).toEqual(Buffer.from(value));
      }),
    );
  });

  test("gives back a message that was written before there were seals", () => {
    const written = toBinary(InstanceRowSchema, row);
    expect(unseal(written, "row")).toBe(written);
  });

  test.each([1, 3, 4])("refuses one that was cut short to %i bytes", (length) => {
    expect(() => unseal(seal(Buffer.from("value")).subarray(0, length), "value")).toThrow(damaged);
  });
});

describe("a row with any one bit changed", () => {
  test("is found out", () => {
    const sealed = seal(toBinary(InstanceRowSchema, row));
    expect(decodeRow(sealed)).toMatchObject({ generation: 1, workflow: "order" });
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => decodeRow(changed), `bit ${bit}`).toThrow(damaged);
    }
  });
});
