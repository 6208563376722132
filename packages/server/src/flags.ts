// SPDX-License-Identifier: Apache-2.0

import { type Command, InvalidArgumentError, Option } from "commander";
import { type LogLevel, logLevels } from "./log.js";
import { defaults } from "./options.js";

/** What the flags of `pawl serve` and the environment say. */
export interface ServeFlags {
  readonly host: string;
  readonly port: number;
  /** 0: no second port. */
  readonly grpcPort: number;
  readonly dataDir: string;
  readonly store: "level" | "memory";
  readonly logLevel: LogLevel;
  /** Answer over REST exactly as Dapr. @default false */
  readonly strictDapr?: boolean;
  /** A token with every scope, from DAPR_API_TOKEN alone: a flag would show in the process list. */
  readonly apiToken?: string;
  readonly tokensFile?: string;
}

/** Adds the flags to a command. Each is also an environment variable; the flag wins. */
export function addServeFlags(command: Command): Command {
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
      new Option("--strict-dapr [boolean]", "answer over REST exactly as Dapr; see docs/rest.md")
        .env("PAWL_STRICT_DAPR")
        .preset("true")
        .argParser(parseSwitch),
    )
    .addOption(
      new Option(
        "--tokens-file <file>",
        "tokens that callers must send, with names and scopes; see docs/security.md",
      ).env("PAWL_TOKENS_FILE"),
    )
    .addOption(
      new Option("--log-level <level>", "least important log lines to write")
        .env("PAWL_LOG_LEVEL")
        .default("info")
        .choices(logLevels),
    )
    .configureOutput({
      // One line for each mistake, its suggestion included.
      outputError: (text, write) => write(`${text.trim().replaceAll("\n", " ")}\n`),
    });
}

/** Reads the flags of a command that was parsed. */
export function parseServeFlags(command: Command): ServeFlags {
  const { data, ...flags } = command.opts<Omit<ServeFlags, "dataDir"> & { data: string }>();
  const apiToken = process.env.DAPR_API_TOKEN;
  return {
    host: flags.host,
    port: flags.port,
    grpcPort: flags.grpcPort,
    dataDir: data,
    store: flags.store,
    logLevel: flags.logLevel,
    ...(flags.strictDapr === undefined ? {} : { strictDapr: flags.strictDapr }),
    ...(flags.tokensFile === undefined ? {} : { tokensFile: flags.tokensFile }),
    ...(apiToken === undefined ? {} : { apiToken }),
  };
}

function parseSwitch(text: string): boolean {
  if (text === "true" || text === "1") {
    return true;
  }
  if (text === "false" || text === "0" || text === "") {
    return false;
  }
  throw new InvalidArgumentError("It must be true or false.");
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new InvalidArgumentError("It must be a number from 0 to 65535.");
  }
  return port;
}
