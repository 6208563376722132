// SPDX-License-Identifier: Apache-2.0

import type { Transport } from "@connectrpc/connect";
import type { AnyActivity, AnyWorkflow, Logger } from "./authoring.js";
import type { Client } from "./client.js";
import { PawlError } from "./errors.js";
import type { EnginePort } from "./port.js";
import { consoleLogger } from "./worker/console-logger.js";

/** Where a server listens unless told otherwise. */
export const defaultBaseUrl = "http://127.0.0.1:3500";

/** How TLS is spoken with a server whose `baseUrl` is "https:". Everything is PEM text. */
export interface TlsOptions {
  /** Authorities whose certificates the server may have. @default Node's */
  readonly ca?: string;
  /** The caller's own certificate, where the server wants one; with `key`. */
  readonly cert?: string;
  /** The private key of `cert`. */
  readonly key?: string;
  /** The name that the server's certificate must have. @default the host of `baseUrl` */
  readonly serverName?: string;
}

/** How a server is reached at its address. */
export interface ServerAccess {
  /**
   * Sent with every call as `dapr-api-token`. A function is asked before each call, so that the token
   * may change. Empty: none. @default the environment variable DAPR_API_TOKEN
   */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** @default Node's own */
  readonly tls?: TlsOptions;
  /**
   * The workflow component of the server that is meant; see docs/components.md. COMPONENT_NOT_FOUND when
   * the server does not serve it. @default the built-in one
   */
  readonly component?: string;
}

/** Which engine is meant: at most one of `baseUrl`, `transport` and `engine`. */
export interface ConnectionOptions extends ServerAccess {
  /** A server's address. @default "http://127.0.0.1:3500" */
  readonly baseUrl?: string;
  /** Any Connect transport; for a worker, one over HTTP/2. */
  readonly transport?: Transport;
  /** An engine in the same process. */
  readonly engine?: EnginePort;
}

/** How to make a client. */
export type ClientOptions = ConnectionOptions;

/** How to make a worker. */
export interface WorkerOptions extends ConnectionOptions {
  /** Shares the connection of a client; instead of the other ways to say which engine is meant. */
  readonly client?: Client;
  /** What it runs. @default none */
  readonly workflows?: readonly AnyWorkflow[];
  /** What it runs. @default none */
  readonly activities?: readonly AnyActivity[];
  /** Shown to people, at most 256 bytes. @default the host and the process: "HOST:PID" */
  readonly name?: string;
  /** Turns that it takes at once. Integer, 1 to 100000. @default 1000 */
  readonly turnLimit?: number;
  /** Activities that it runs at once. Integer, 1 to 100000. @default 100 */
  readonly activityLimit?: number;
  /** Instances that it holds in memory between turns. Integer, 0 to 1000000. @default 1000 */
  readonly cacheLimit?: number;
  /** Milliseconds that `stop` waits for what was begun. At least 0. @default 10000 */
  readonly stopGraceMs?: number;
  /** Where log lines go. @default the console */
  readonly logger?: Logger;
}

/** A worker's own options, each with a value. */
export type ResolvedWorkerOptions = Required<
  Omit<WorkerOptions, keyof ConnectionOptions | "client">
>;

const defaults = Object.freeze({
  workflows: Object.freeze([]),
  activities: Object.freeze([]),
  turnLimit: 1000,
  activityLimit: 100,
  cacheLimit: 1000,
  stopGraceMs: 10_000,
  logger: consoleLogger,
}) satisfies Omit<ResolvedWorkerOptions, "name">;

/**
 * Fills in the defaults; `name` is that of the process at hand.
 * @throws INVALID_ARGUMENT when a field is out of its range
 */
export function resolveWorkerOptions(options: WorkerOptions, name: string): ResolvedWorkerOptions {
  const resolved = { ...defaults, name, ...options };
  checkInteger(resolved.turnLimit, 1, 100_000, "turnLimit");
  checkInteger(resolved.activityLimit, 1, 100_000, "activityLimit");
  checkInteger(resolved.cacheLimit, 0, 1_000_000, "cacheLimit");
  if (!(resolved.stopGraceMs >= 0)) throw outOfRange("stopGraceMs");
  return resolved;
}

function checkInteger(value: number, least: number, most: number, field: string): void {
  if (!Number.isInteger(value) || value < least || value > most) throw outOfRange(field);
}

function outOfRange(field: string): PawlError {
  return new PawlError("INVALID_ARGUMENT", `worker: ${field} is out of range`, {
    details: { field },
  });
}
