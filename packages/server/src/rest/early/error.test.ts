// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "@pawl/engine";
import { describe, expect, test } from "vitest";
import { callEngine } from "./error.js";

const subject = { subject: "a", instanceId: "a" };

describe("callEngine()", () => {
  test("gives what the engine gives", async () => {
    expect(await callEngine("get", subject, async () => 1)).toBe(1);
  });

  test.each([
    ["INSTANCE_NOT_FOUND", "ERR_INSTANCE_ID_NOT_FOUND", 404],
    ["INSTANCE_EXISTS", "ERR_INSTANCE_ID_EXISTS", 409],
    ["INSTANCE_NOT_ENDED", "ERR_INSTANCE_NOT_ENDED", 409],
    ["PAYLOAD_TOO_LARGE", "ERR_PAYLOAD_TOO_LARGE", 413],
    ["INVALID_ARGUMENT", "ERR_PURGE_WORKFLOW", 400],
    ["RESOURCE_EXHAUSTED", "ERR_PURGE_WORKFLOW", 429],
    ["SHUTTING_DOWN", "ERR_PURGE_WORKFLOW", 503],
    ["INSTANCE_DAMAGED", "ERR_PURGE_WORKFLOW", 500],
  ] as const)("answers %s with %s and %i", async (code, errorCode, http) => {
    const call = callEngine("purge", subject, () =>
      Promise.reject(new EngineError(code, "the reason")),
    );

    await expect(call).rejects.toMatchObject({ errorCode, http });
  });

  test("keeps the text of a fault of ours to itself", async () => {
    const call = callEngine("get", subject, () => Promise.reject(new Error("secret")));

    await expect(call).rejects.toMatchObject({
      engineCode: "INTERNAL",
      http: 500,
      message: expect.not.stringContaining("secret"),
    });
  });
});
