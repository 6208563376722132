// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "@pawl/engine";
import { describe, expect, test } from "vitest";
import type { ServeFlags } from "./flags.js";
import { describeFailure } from "./serve.js";

const flags: ServeFlags = {
  host: "127.0.0.1",
  port: 3500,
  grpcPort: 50001,
  dataDir: ".pawl",
  store: "level",
  logLevel: "info",
};

function nodeError(code: string, port?: number): Error {
  return Object.assign(new Error(`listen ${code}`), port === undefined ? { code } : { code, port });
}

describe("describeFailure()", () => {
  test.each([
    [
      nodeError("EADDRINUSE", 3500),
      "port 3500 of 127.0.0.1 is already in use; choose another with --port",
    ],
    [
      nodeError("EADDRINUSE", 50001),
      "port 50001 of 127.0.0.1 is already in use; choose another with --grpc-port",
    ],
    [
      nodeError("EADDRNOTAVAIL"),
      "127.0.0.1 is not an address of this machine; choose another with --host",
    ],
    [nodeError("EACCES", 80), "not allowed: listen EACCES"],
    [nodeError("EMFILE"), "listen EMFILE"],
    [new EngineError("STORE_LOCKED", "in use by process 7"), "in use by process 7"],
    [new Error("first line\n    at stack"), "first line"],
    ["text", "text"],
  ])("says in one line what is wrong: %s", (error, line) => {
    expect(describeFailure(error, flags)).toBe(line);
  });
});
