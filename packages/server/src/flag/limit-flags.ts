// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type ListenLimits, listenDefaults } from "../limit/listen-limits.js";

/** A limit on the command line. */
interface LimitFlag {
  readonly flag: string;
  readonly text: string;
  readonly least: number;
  readonly most: number;
}

const dayMs = 86_400_000;

/** One flag for every limit; a limit without a line does not compile. */
// biome-ignore format: one line per flag
export const limitFlags = {
  connections:          { flag: "max-connections",      text: "connections of one port",                                     least: 1,   most: 1_000_000 },
  connectionsPerAddress: { flag: "max-connections-per-address", text: "connections of one address, or IPv6 network of 64 bits", least: 1, most: 1_000_000 },
  streamsPerConnection: { flag: "max-streams",          text: "calls at once on one HTTP/2 connection",                      least: 1,   most: 1_000_000 },
  headerBytes:          { flag: "max-header-bytes",     text: "bytes of the headers of a request and its path; 4096 with --strict-dapr", least: 1024, most: 1_048_576 },
  headerCount:          { flag: "max-headers",          text: "headers of a request",                                        least: 16,  most: 10_000 },
  bodyBytes:            { flag: "max-body-bytes",       text: "bytes of a request's body, and of a call's message",         least: 1024, most: limits.requestBytes },
  resetBurst:           { flag: "reset-burst",          text: "calls that a peer may take back at once",                     least: 1,   most: 1_000_000 },
  resetsPerSecond:      { flag: "resets-per-second",    text: "calls that a peer may take back each second for long",        least: 1,   most: 1_000_000 },
  peekTimeoutMs:        { flag: "peek-timeout-ms",      text: "time to begin with HTTP, or to end a TLS handshake",          least: 10,  most: dayMs },
  headersTimeoutMs:     { flag: "headers-timeout-ms",   text: "time for the headers of an HTTP/1.1 request",                 least: 10,  most: dayMs },
  requestTimeoutMs:     { flag: "request-timeout-ms",   text: "time for a whole request; workers' streams have no end",      least: 10,  most: dayMs },
  stallTimeoutMs:       { flag: "stall-timeout-ms",     text: "time that an answer waits for its reader, beside that for its bytes", least: 10,  most: dayMs },
  readerBytesPerSecond: { flag: "min-read-rate",        text: "bytes a second that the reader of an answer must take",       least: 1,   most: 1_000_000_000 },
  keepAliveTimeoutMs:   { flag: "keep-alive-timeout-ms", text: "time that an idle HTTP/1.1 connection stays open",           least: 10,  most: dayMs },
  idleTimeoutMs:        { flag: "idle-timeout-ms",      text: "time that an HTTP/2 connection without calls stays open",     least: 10,  most: dayMs },
  pingIntervalMs:       { flag: "ping-interval-ms",     text: "time between two pings on an HTTP/2 connection",              least: 10,  most: dayMs },
} as const satisfies Record<keyof ListenLimits, LimitFlag>;

/** The environment variable of a limit. */
export function limitVariable({ flag }: Pick<LimitFlag, "flag">): string {
  return `PAWL_${flag.toUpperCase().replaceAll("-", "_")}`;
}

function entries(): [keyof ListenLimits, LimitFlag][] {
  return Object.entries(limitFlags).map(([name, flag]) => [name as keyof ListenLimits, flag]);
}

/** Adds the flags about connections and requests. */
export function addLimitFlags(command: Command): Command {
  for (const [name, limit] of entries()) {
    const text = `${limit.text} (default: ${listenDefaults[name]})`;
    command.addOption(
      new Option(`--${limit.flag} <number>`, text)
        .env(limitVariable(limit))
        .argParser((value) => parseLimit(value, limit)),
    );
  }
  return command;
}

/** Reads them from a command that was parsed: those that were given. */
export function parseLimitFlags(command: Command): Partial<ListenLimits> {
  const values = command.opts<Record<string, number | undefined>>();
  const given = entries().flatMap(([name, { flag }]) => {
    const value = values[toCamelCase(flag)];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(given);
}

function toCamelCase(flag: string): string {
  return flag.replace(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase());
}

function parseLimit(text: string, { least, most }: LimitFlag): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`);
  }
  return value;
}
