// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { type Call, linearize, type Model } from "./linearize.ts";

type Operation = { readonly set: number } | { readonly get: number };

const register: Model<number, Operation> = {
  initial: 0,
  apply: (state, operation) =>
    "set" in operation ? [operation.set] : operation.get === state ? [state] : [],
  isPure: (operation) => "get" in operation,
};

function call(operation: Operation, calledAt: number, answeredAt: number): Call<Operation> {
  return { operation, calledAt, answeredAt };
}

describe("linearize()", () => {
  test("finds an order for calls that overlap", () => {
    const calls = [call({ set: 1 }, 1, 6), call({ get: 1 }, 2, 3), call({ get: 1 }, 4, 5)];
    expect(linearize(register, calls)).toBe("yes");
  });

  test("finds none when a later call sees what was before", () => {
    const calls = [call({ set: 1 }, 1, 6), call({ get: 1 }, 2, 3), call({ get: 0 }, 4, 5)];
    expect(linearize(register, calls)).toBe("no");
  });

  test("lets a call without an answer take effect late, or never", () => {
    const unanswered = call({ set: 1 }, 1, Number.POSITIVE_INFINITY);
    expect(linearize(register, [unanswered, call({ get: 0 }, 2, 3)])).toBe("yes");
    expect(linearize(register, [unanswered, call({ get: 1 }, 2, 3)])).toBe("yes");
    const both = [unanswered, call({ get: 1 }, 2, 3), call({ get: 0 }, 4, 5)];
    expect(linearize(register, both)).toBe("no");
  });

  test("does not let a call take effect before it was made", () => {
    const calls = [call({ get: 1 }, 1, 2), call({ set: 1 }, 3, 4)];
    expect(linearize(register, calls)).toBe("no");
  });

  test("says so when there are too many orders", () => {
    const calls = Array.from({ length: 20 }, (_, index) => call({ set: index }, 1, 100));
    expect(linearize(register, [...calls, call({ get: 99 }, 101, 102)])).toBe("unknown");
  });

  test("takes a read that changes the state where it is right as things are", () => {
    const counter: Model<number, Operation> = {
      ...register,
      apply: (state, operation) =>
        "set" in operation
          ? [operation.set]
          : [state, state + 1].filter((value) => value === operation.get),
    };
    expect(linearize(counter, [call({ get: 1 }, 1, 2)])).toBe("yes");
    expect(linearize(counter, [call({ get: 2 }, 1, 2)])).toBe("no");
    const twice = [call({ get: 1 }, 1, 2), call({ get: 2 }, 3, 4), call({ get: 2 }, 5, 6)];
    expect(linearize(counter, twice)).toBe("yes");
  });
});
