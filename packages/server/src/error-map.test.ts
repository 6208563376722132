// SPDX-License-Identifier: Apache-2.0

import { Code } from "@connectrpc/connect";
import { errorCodes } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { daprCause, daprErrors, daprOperations, errorCodeOf, errorMap } from "./error-map.js";

const statuses = [400, 401, 403, 404, 409, 413, 429, 499, 500, 501, 503, 504];

test("the error table has a row for every code, and no other", () => {
  expect(Object.keys(errorMap).sort()).toEqual([...errorCodes].sort());
});

test.each(Object.entries(errorMap))("%s has codes and statuses that exist", (_code, row) => {
  expect(Code[row.connect]).toBeDefined();
  expect(Code[row.daprGrpc]).toBeDefined();
  expect(statuses).toContain(row.http);
  expect(statuses).toContain(row.daprHttp);
});

test("every failure that the RPC library can find has a code of ours", () => {
  const codes = Object.values(Code).filter((code): code is Code => typeof code === "number");
  for (const code of codes) {
    expect(errorCodes).toContain(errorCodeOf(code));
  }
});

test("Dapr's client errors are client errors in both protocols", () => {
  for (const [name, { http, connect }] of Object.entries(daprErrors)) {
    expect(http === 400, name).toBe(connect === Code.InvalidArgument);
  }
});

describe("daprOperations", () => {
  test.each([
    [
      "start",
      "error starting workflow 's': unable to start workflow: failed to start workflow: cause",
    ],
    [
      "get",
      "error while getting workflow info on instance 's': failed to get workflow metadata for 's': cause",
    ],
    [
      "raiseEvent",
      "error raising event on workflow 's': failed to raise event e on workflow s: failed to raise event: cause",
    ],
    [
      "terminate",
      "error terminating workflow 's': failed to terminate workflow s: failed to submit termination request:: cause",
    ],
    [
      "pause",
      "error pausing workflow s: failed to pause workflow s: failed to suspend workflow: cause",
    ],
    [
      "resume",
      "error resuming workflow s: failed to resume workflow s: failed to resume workflow: cause",
    ],
    [
      "purge",
      "error purging workflow s: failed to Purge workflow s: failed to purge workflow state: cause",
    ],
  ] as const)("words a failed %s as Dapr does", (operation, message) => {
    expect(daprOperations[operation].message({ subject: "s", event: "e" }, "cause")).toBe(message);
  });
});

test("a fault of ours says nothing about itself", () => {
  expect(daprCause("INTERNAL", "secret")).not.toContain("secret");
});
