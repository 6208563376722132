// SPDX-License-Identifier: Apache-2.0

import { type Command, InvalidArgumentError, Option } from "commander";
import type { ServerOptions } from "../options.js";

/** The options of a server that flags about tracing set. Absent: not given. */
export type TraceFlags = Pick<ServerOptions, "otlpEndpoint" | "traceRatio">;

/** Adds the flags about spans. */
export function addTraceFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--otlp-endpoint <url>",
        "OpenTelemetry collector that spans are sent to, as http://127.0.0.1:4318; default: no spans",
      ).env("OTEL_EXPORTER_OTLP_ENDPOINT"),
    )
    .addOption(
      new Option(
        "--trace-ratio <share>",
        "share of the traces that begin here which are recorded, 0 to 1; default: 1",
      )
        .env("PAWL_TRACE_RATIO")
        .argParser(parseShare),
    );
}

/** Reads them from a command that was parsed. */
export function parseTraceFlags(command: Command): TraceFlags {
  const { otlpEndpoint, traceRatio } = command.opts<TraceFlags>();
  return {
    ...(otlpEndpoint === undefined ? {} : { otlpEndpoint }),
    ...(traceRatio === undefined ? {} : { traceRatio }),
  };
}

function parseShare(text: string): number {
  const share = Number(text);
  if (text.trim() === "" || !(share >= 0 && share <= 1)) {
    throw new InvalidArgumentError("It must be a number from 0 to 1.");
  }
  return share;
}
