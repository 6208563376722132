// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "@pawl/engine";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { ServeFlags } from "./flags.js";
import { describeFailure, serve } from "./serve.js";

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

describe("serve()", () => {
  test("closes the server and fails when what ran beside it cannot end", async () => {
    const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const listeners = (["SIGTERM", "SIGINT"] as const).map((name) => {
      return { name, before: process.listeners(name) };
    });
    onTestFinished(() => {
      vi.restoreAllMocks();
      process.exitCode = undefined;
      for (const { name, before } of listeners) {
        for (const listener of process.listeners(name)) {
          if (!before.includes(listener)) process.off(name, listener);
        }
      }
    });
    let url = "";
    const options = {
      ...flags,
      port: 0,
      grpcPort: 0,
      store: "memory",
      logLevel: "silent",
    } as const;
    await serve(options, {
      async onStart(server) {
        url = server.url;
        setImmediate(() => process.emit("SIGTERM", "SIGTERM"));
        return async () => {
          throw new Error("it hangs on");
        };
      },
    });

    expect(written).toHaveBeenCalledWith("pawl: it hangs on\n");
    expect(process.exitCode).toBe(1);
    await expect(fetch(url)).rejects.toThrow();
  });
});
