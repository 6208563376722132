// SPDX-License-Identifier: Apache-2.0

import type { EngineSettings } from "@pawl/engine";
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  addComponentFlags,
  type ComponentFlags,
  parseComponentFlags,
} from "./flag/component-flags.js";
import { addDiskFlags, parseDiskFlags } from "./flag/disk-flags.js";
import { addEngineFlags, parseEngineFlags } from "./flag/engine-flags.js";
import { addLimitFlags, parseLimitFlags } from "./flag/limit-flags.js";
import { addSecurityFlags, parseSecurityFlags, type SecurityFlags } from "./flag/security-flags.js";
import { parseSwitch } from "./flag/switch.js";
import { addTraceFlags, parseTraceFlags, type TraceFlags } from "./flag/trace-flags.js";
import type { ListenLimits } from "./limit/listen-limits.js";
import { type LogLevel, logLevels } from "./log.js";
import { type DiskOptions, defaults } from "./options.js";

/** What the flags of `pawl serve` and the environment say. */
export interface ServeFlags extends SecurityFlags, ComponentFlags, DiskOptions, TraceFlags {
  /** The limits that were given. */
  readonly listen?: Partial<ListenLimits>;
  readonly host: string;
  readonly port: number;
  /** 0: no second port. */
  readonly grpcPort: number;
  readonly dataDir: string;
  readonly store: "level" | "memory";
  readonly logLevel: LogLevel;
  /** Answer exactly as Dapr. @default false */
  readonly strictDapr?: boolean;
  /** Limits and times of the engine. */
  readonly engineOptions?: EngineSettings;
}

/** Adds the flags to a command. Each is also an environment variable; the flag wins. */
export function addServeFlags(command: Command): Command {
  addGeneralFlags(command);
  addComponentFlags(command);
  addSecurityFlags(command);
  addLimitFlags(command);
  addEngineFlags(command);
  addDiskFlags(command);
  addTraceFlags(command);
  return command.configureOutput({
    // One line for each mistake, its suggestion included.
    outputError: (text, write) => write(`${text.trim().replaceAll("\n", " ")}\n`),
  });
}

function addGeneralFlags(command: Command): Command {
  return command
    .addOption(
      new Option("--host <address>", "address to listen on")
        .env("PAWL_HOST")
        .default(defaults.host),
    )
    .addOption(
      new Option("--port <number>", "port of every protocol; 0: any free one")
        .env("PAWL_PORT")
        .default(defaults.port)
        .argParser(parsePort),
    )
    .addOption(
      new Option("--grpc-port <number>", "second port, where Dapr's SDKs look for gRPC; 0: none")
        .env("PAWL_GRPC_PORT")
        .default(defaults.grpcPort)
        .argParser(parsePort),
    )
    .addOption(
      new Option("--data <folder>", "folder that keeps the workflows")
        .env("PAWL_DATA")
        .default(defaults.dataDir),
    )
    .addOption(
      new Option("--store <kind>", "where workflows are kept; memory: lost at the end")
        .env("PAWL_STORE")
        .default(defaults.store)
        .choices(["level", "memory"]),
    )
    .addOption(
      new Option("--strict-dapr [boolean]", "answer, and wait, exactly as Dapr; see docs/rest.md")
        .env("PAWL_STRICT_DAPR")
        .preset("true")
        .argParser(parseSwitch),
    )
    .addOption(
      new Option("--log-level <level>", "least important log lines to write")
        .env("PAWL_LOG_LEVEL")
        .default("info")
        .choices(logLevels),
    );
}

/** Reads the flags of a command that was parsed. */
export function parseServeFlags(command: Command): ServeFlags {
  const { data, ...flags } = command.opts<Omit<ServeFlags, "dataDir"> & { data: string }>();
  const engineOptions = parseEngineFlags(command);
  const listen = parseLimitFlags(command);
  return {
    host: flags.host,
    port: flags.port,
    grpcPort: flags.grpcPort,
    dataDir: data,
    store: flags.store,
    logLevel: flags.logLevel,
    ...(flags.strictDapr === undefined ? {} : { strictDapr: flags.strictDapr }),
    ...(engineOptions === undefined ? {} : { engineOptions }),
    ...parseDiskFlags(command),
    ...parseComponentFlags(command),
    ...parseSecurityFlags(command),
    ...parseTraceFlags(command),
    ...(Object.keys(listen).length === 0 ? {} : { listen }),
  };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new InvalidArgumentError("It must be a number from 0 to 65535.");
  }
  return port;
}
