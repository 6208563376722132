// SPDX-License-Identifier: Apache-2.0

import {
  type BackupPort,
  type Clock,
  type Engine,
  type EngineSettings,
  type Logger,
  type ManagementPort,
  systemClock,
  type TracingOptions,
  type WaitPort,
  type WorkerPort,
} from "@pawl/engine";
import { watchIntervalMs } from "./config/watched-file.js";
import { daprHeaderBytes } from "./limit/header-limit.js";
import { type ListenLimits, listenDefaults } from "./limit/listen-limits.js";

/** Takes the server's log lines; pino's loggers fit. Never gets payloads. */
export interface ServerLogger extends Logger {
  debug(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** What a server needs of an engine. */
export type ServedEngine = ManagementPort &
  WorkerPort &
  BackupPort &
  WaitPort &
  Pick<Engine, "isReady" | "onReadyChange" | "close">;

/** How the disk is distrusted. */
export interface DiskOptions {
  /**
   * What is done with a data folder of which parts cannot be read: the rest is served, or it is refused;
   * see docs/operate.md. @default "salvage"
   */
  readonly onDamage?: "salvage" | "refuse";
  /**
   * Bytes of the stored tables that are read in a second in the background, to find what the disk has
   * changed. 0: none. @default 4194304
   */
  readonly scrubBytesPerSecond?: number;
}

/** How to start a server. */
export interface ServerOptions extends DiskOptions {
  /** Address to listen on. @default "127.0.0.1" */
  readonly host?: string;
  /** Port of every protocol; 0: any free one. @default 3500 */
  readonly port?: number;
  /**
   * One more port with the same protocols, where Dapr's SDKs look for gRPC. 0, or the same number
   * as `port`: none. @default 50001, or none when `port` is 0
   */
  readonly grpcPort?: number;
  /** "level": on disk in `dataDir`. "memory": nothing is kept. @default "level" */
  readonly store?: "level" | "memory";
  /** The data folder; made if it does not exist. @default ".pawl" */
  readonly dataDir?: string;
  /** Limits and times of the engine that is opened; see docs/lifecycle.md. @default the engine's */
  readonly engineOptions?: EngineSettings;
  /**
   * Serve this engine and do not close it with the server: what is said here of an engine that is opened
   * (`store`, `dataDir`, `engineOptions`, `onDamage`, `otlpEndpoint` …) is not used for it.
   * @default one is opened, and closed with the server
   */
  readonly engine?: ServedEngine;
  /**
   * Folders of component files, read again when they change; see docs/components.md. With `engine`,
   * that is the built-in component. @default none
   */
  readonly componentsPaths?: readonly string[];
  /**
   * A folder of component files that is read as soon as it is there, when `componentsPaths` names none.
   * @default none
   */
  readonly defaultComponentsPath?: string;
  /** Dapr Configuration files, read again when they change; the last goes before. @default none */
  readonly configFiles?: readonly string[];
  /** Name of this server in `/v1.0/metadata`, and in the scopes of components. @default "pawl" */
  readonly appId?: string;
  /**
   * Answer as Dapr does, over REST and gRPC, also where Pawl has a better answer, wait where it waits, and
   * leave out the early form of the API; see docs/rest.md. @default false
   */
  readonly strictDapr?: boolean;
  /**
   * By which a strict server's calls wait; engines that are opened have their own. @default the machine's clock
   */
  readonly clock?: Clock;
  /** Where log lines go. @default nowhere */
  readonly logger?: ServerLogger;
  /** Milliseconds that open calls get to end when the server closes. @default 5000 */
  readonly shutdownGraceMs?: number;
  /**
   * A token that callers must send, with every scope; empty: none. With it or `tokensFile`, all but
   * health wants a token; see docs/security.md. @default ""
   */
  readonly apiToken?: string;
  /** A file of tokens with names and scopes, read again when it changes. @default none */
  readonly tokensFile?: string;
  /**
   * Rules of which caller may do which operation on which workflows, read again when they change; what
   * no rule allows looks as if it were not there. @default none: scopes decide alone
   */
  readonly policyFile?: string;
  /** A certificate of this server, PEM; with it every connection must be TLS. @default none */
  readonly tlsCertFile?: string;
  /** The private key of `tlsCertFile`, PEM. @default none */
  readonly tlsKeyFile?: string;
  /**
   * Authorities, PEM: callers must show a certificate of one of them. All three files are read again
   * when one changes; open connections stay. @default none
   */
  readonly tlsClientCaFile?: string;
  /**
   * Origins, such as "https://app.example.com", of pages whose scripts may call from a browser.
   * @default none
   */
  readonly corsOrigins?: readonly string[];
  /**
   * Names, such as "pawl.example.com", by which callers may call a server that asks for no token, beside
   * "localhost" and addresses. On an address that other machines reach, names are looked at only when there
   * are some here. @default none
   */
  readonly allowedHosts?: readonly string[];
  /**
   * Listen on an address that other machines reach, though there are neither tokens nor TLS; without
   * it that is refused. @default false
   */
  readonly allowInsecureNetwork?: boolean;
  /** Milliseconds between two looks at files that may change. @default 1000 */
  readonly reloadIntervalMs?: number;
  /**
   * An OpenTelemetry collector, "http://127.0.0.1:4318", that spans are sent to; see docs/operate.md.
   * Empty: no spans are made. @default ""
   */
  readonly otlpEndpoint?: string;
  /** Share of the traces that begin here which are recorded, from 0 to 1. @default 1 */
  readonly traceRatio?: number;
  /** Bounds of connections and requests. */
  readonly listen?: Partial<ListenLimits>;
}

/** All options, each with a value; `engine` stays absent when none was given. */
export type ResolvedServerOptions = Required<Omit<ServerOptions, "engine" | "listen">> & {
  readonly engine: ServedEngine | undefined;
  readonly listen: ListenLimits;
  /** Where the engines that are opened give their spans; absent: nowhere. */
  readonly tracing?: TracingOptions;
};

const silent: ServerLogger = { debug() {}, info() {}, warn() {}, error() {} };

/** The defaults. */
export const defaults = Object.freeze({
  host: "127.0.0.1",
  port: 3500,
  grpcPort: 50001,
  store: "level",
  dataDir: ".pawl",
  onDamage: "salvage",
  scrubBytesPerSecond: 4 * 1024 * 1024,
  engineOptions: {},
  engine: undefined,
  componentsPaths: Object.freeze<string[]>([]),
  defaultComponentsPath: "",
  configFiles: Object.freeze<string[]>([]),
  appId: "pawl",
  strictDapr: false,
  clock: systemClock,
  logger: silent,
  shutdownGraceMs: 5_000,
  apiToken: "",
  tokensFile: "",
  policyFile: "",
  corsOrigins: Object.freeze<string[]>([]),
  allowedHosts: Object.freeze<string[]>([]),
  tlsCertFile: "",
  tlsKeyFile: "",
  tlsClientCaFile: "",
  allowInsecureNetwork: false,
  reloadIntervalMs: watchIntervalMs,
  otlpEndpoint: "",
  traceRatio: 1,
  listen: listenDefaults,
}) satisfies ResolvedServerOptions;

function strictListen({ strictDapr = false }: ServerOptions): Partial<ListenLimits> {
  return strictDapr ? { headerBytes: daprHeaderBytes } : {};
}

/** Fills in the defaults. */
export function resolveOptions(options: ServerOptions): ResolvedServerOptions {
  const port = options.port ?? defaults.port;
  return {
    ...defaults,
    ...options,
    port,
    grpcPort: options.grpcPort ?? (port === 0 ? 0 : defaults.grpcPort),
    engine: options.engine,
    listen: { ...listenDefaults, ...strictListen(options), ...options.listen },
  };
}
