// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { CallAllowance } from "./call-allowance.js";

test("refuses a call above the limit, until one has ended", async () => {
  const allowance = new CallAllowance(2);
  const ends: (() => void)[] = [];
  const call = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
  const refused = expect.objectContaining({
    code: "RESOURCE_EXHAUSTED",
    details: { limit: "2" },
  });

  const first = allowance.run(call);
  const failing = allowance.run(async () => {
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  void allowance.run(call);
  await expect(allowance.run(call)).rejects.toEqual(refused);
  ends[0]?.();
  await first;
  void allowance.run(call);

  expect(ends).toHaveLength(3);
  await expect(allowance.run(call)).rejects.toEqual(refused);
});
