// SPDX-License-Identifier: Apache-2.0

import { setFlagsFromString } from "node:v8";
import { isEngineError } from "@pawl/engine";
import type { ServeFlags } from "./flags.js";
import { createLog } from "./log.js";
import { createServer, type PawlServer } from "./server.js";

/** What runs beside a server in the same process. */
export interface ServeHooks {
  /**
   * Called when the server answers, before the ready line is printed. What it resolves with is
   * called, and waited for, before the server closes.
   */
  onStart?(server: PawlServer): Promise<() => Promise<void>>;
}

/**
 * Runs a server until SIGTERM or SIGINT. Prints `pawl ready on URL` to stdout when it is ready.
 * A failure is one line on stderr and exit code 1; it is not thrown.
 */
export async function serve(flags: ServeFlags, hooks: ServeHooks = {}): Promise<void> {
  // What lives from one commit to the next would be made in the old generation, where it is collected
  // late and keeps all that it refers to: a quarter of the server's CPU time (docs/performance.md).
  setFlagsFromString("--no-allocation-site-pretenuring");
  const stopped = waitForSignal();
  const { logLevel, ...options } = flags;
  const logger = createLog(logLevel);
  try {
    const server = await Promise.race([createServer({ ...options, logger }), stopped]);
    if (typeof server === "string") {
      // Not ready yet, so nothing was promised to anybody; a store that was being opened bears it.
      process.exit();
    }
    let endHook: (() => Promise<void>) | undefined;
    try {
      endHook = await hooks.onStart?.(server);
      process.stdout.write(`pawl ready on ${server.url}\n`);
      const signal = await stopped;
      logger.info({ signal }, "stopping");
    } finally {
      try {
        await endHook?.();
      } finally {
        await server.close();
      }
    }
  } catch (error) {
    logger.debug({ err: error }, "stopped by an error");
    process.stderr.write(`pawl: ${describeFailure(error, flags)}\n`);
    process.exitCode = 1;
  }
}

/**
 * A signal that comes again this soon is the same wish: Ctrl-C reaches the process from the terminal
 * and once more from the npm that started it.
 */
const sameWishMs = 1000;

/** Resolves at the first signal to stop; a later one ends the process at once. */
function waitForSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let askedAtMs: number | undefined;
    const onSignal = (signal: NodeJS.Signals): void => {
      const nowMs = performance.now();
      if (askedAtMs !== undefined && nowMs - askedAtMs > sameWishMs) {
        process.exit(1);
      }
      askedAtMs ??= nowMs;
      resolve(signal);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}

/** One line that says what is wrong and what to do about it. */
export function describeFailure(error: unknown, flags: ServeFlags): string {
  const message = error instanceof Error ? error.message : String(error);
  const line = message.split("\n", 1)[0] ?? "";
  if (isEngineError(error) || !(error instanceof Error) || !("code" in error)) {
    return line;
  }
  const port = "port" in error ? error.port : flags.port;
  const flag = port === flags.grpcPort && port !== flags.port ? "--grpc-port" : "--port";
  switch (error.code) {
    case "EADDRINUSE":
      return `port ${port} of ${flags.host} is already in use; choose another with ${flag}`;
    case "EACCES":
      return `not allowed: ${line}`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${flags.host} is not an address of this machine; choose another with --host`;
    default:
      return line;
  }
}
