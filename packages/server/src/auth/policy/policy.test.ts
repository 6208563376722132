// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import type { Caller } from "../caller.js";
import { Policy } from "./policy.js";

const ci: Caller = { names: ["token:ci", "certificate:CN=ci,O=Acme"], scopes: new Set() };

function policyOf(...rules: object[]): Policy {
  return Policy.parse("p", JSON.stringify({ rules }));
}

describe("Policy", () => {
  test("allows what a rule names, and nothing else", () => {
    const policy = policyOf({
      callers: ["token:ci"],
      operations: ["start", "read"],
      workflows: ["order*"],
    });
    expect(policy.allows(ci, "start", "order-eu")).toBe(true);
    expect(policy.allows(ci, "watch", "order")).toBe(true);
    expect(policy.allows(ci, "start", "billing")).toBe(false);
    expect(policy.allows(ci, "terminate", "order")).toBe(false);
    expect(policy.allows({ ...ci, names: ["token:other"] }, "start", "order")).toBe(false);
    expect(policyOf().allows(ci, "get", "order")).toBe(false);
  });

  test("knows callers by each of their names, and by patterns", () => {
    const rule = { operations: ["get"], workflows: ["*"] };
    for (const pattern of ["*", "certificate:CN=ci,*", "certificate:*O=Acme", "token:c*"]) {
      expect(policyOf({ ...rule, callers: [pattern] }).allows(ci, "get", "a"), pattern).toBe(true);
    }
    for (const pattern of ["anonymous", "token:", "certificate:CN=ci"]) {
      expect(policyOf({ ...rule, callers: [pattern] }).allows(ci, "get", "a"), pattern).toBe(false);
    }
  });

  test("takes a scope for the operations that it opens", () => {
    const every = { callers: ["*"], workflows: ["*"] };
    const work = policyOf({ ...every, operations: ["work"] });
    expect(work.allows(ci, "work", "a")).toBe(true);
    expect(work.allows(ci, "history", "a")).toBe(true);
    expect(work.allows(ci, "get", "a")).toBe(false);
    const admin = policyOf({ ...every, operations: ["admin"] });
    expect(admin.allows(ci, "purge", "a") && admin.allows(ci, "set-metadata", "")).toBe(true);
  });

  test.each([
    ["rules: 1", "p:1: rules: must be a list of rules"],
    [
      "rules:\n  - callers: [ci]\n    operations: [get]\n    workflows: ['*']",
      'p:2: rules[0].callers: each must be "token:NAME", "certificate:SUBJECT", "anonymous" or "*"',
    ],
    [
      "rules:\n  - callers: ['*']\n    operations:\n      - get\n      - fly\n    workflows: ['*']",
      /^p:5: rules\[0\]\.operations\[1\]: must be one of health, describe, call, get, /,
    ],
    [
      "rules:\n  - callers: ['*']\n    operations: [get]",
      "p:2: rules[0].workflows: must be a list of workflow names",
    ],
    ["rule: []", /^p:1: rules: must be a list of rules; p:1: Unrecognized key: "rule"$/],
  ])("names file, line and field of a mistake: %j", (text, message) => {
    expect(() => Policy.parse("p", text)).toThrow(
      expect.objectContaining({
        code: "INVALID_ARGUMENT",
        message: typeof message === "string" ? message : expect.stringMatching(message),
      }),
    );
  });
});
