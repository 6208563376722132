// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError } from "@connectrpc/connect";
import { EngineError } from "@pawl/engine";
import { expect, test } from "vitest";
import { DaprError } from "../dapr/error.js";
import { StrictRefusal } from "../dapr/strict-refusal.js";
import type { ServerLogger } from "../options.js";
import { createFailureLog } from "./log.js";

type Line = { level: string; facts: Readonly<Record<string, unknown>> };

function recorder(): { log: ServerLogger; lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (facts: Readonly<Record<string, unknown>>) => {
    lines.push({ level, facts });
  };
  return {
    log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
    lines,
  };
}

test("does not take for a fault what Dapr answers with INTERNAL", () => {
  const { log, lines } = recorder();
  const cause = new EngineError("INSTANCE_NOT_FOUND", "x");
  const error = DaprError.from(cause, "pause", { subject: "a" }, "a");

  createFailureLog(log)("a.B/C", error, new ConnectError("text", Code.Internal));

  expect(lines).toMatchObject([{ level: "info" }]);
});

test("does not take for a fault what a strict server refuses with UNKNOWN", () => {
  const { log, lines } = recorder();
  const error = StrictRefusal.plain("no such instance exists");

  createFailureLog(log)("a.B/C", error, new ConnectError("text", Code.Unknown));

  expect(lines).toMatchObject([{ level: "info" }]);
});

test.each([
  [Code.Internal, "error"],
  [Code.DataLoss, "error"],
  [Code.Unavailable, "warn"],
  [Code.ResourceExhausted, "warn"],
  [Code.NotFound, "info"],
  [Code.InvalidArgument, "info"],
  [Code.Canceled, "debug"],
  [Code.DeadlineExceeded, "debug"],
])("writes one line for code %i at level %s", (code, level) => {
  const { log, lines } = recorder();
  const error = new Error("cause");

  createFailureLog(log)("a.B/C", error, new ConnectError("text", code));

  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ level, facts: { procedure: "a.B/C", code: Code[code] } });
  expect("err" in (lines[0]?.facts ?? {})).toBe(level === "error");
});
