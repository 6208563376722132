// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { CallAllowance } from "./call-allowance.js";

test("refuses a call above the limit, until one has ended", () => {
  const allowance = new CallAllowance(2);
  const refused = expect.objectContaining({
    code: "RESOURCE_EXHAUSTED",
    details: { limit: "2" },
  });
  const take = (): void => allowance.take();

  take();
  take();
  expect(take).toThrow(refused);
  expect(take).toThrow(refused);
  allowance.giveBack();
  take();

  expect(take).toThrow(refused);
});

test("takes no more of the whole than there is, and gives all back", () => {
  const whole = new CallAllowance(2);
  const [one, other] = [new CallAllowance(2, whole), new CallAllowance(2, whole)];

  one.take();
  other.take();
  expect(() => one.take()).toThrow("2 calls are under way");
  other.giveBack();
  one.take();

  expect(() => whole.take()).toThrow();
  one.giveBack();
  one.giveBack();
  whole.take();
  whole.take();
});
