// SPDX-License-Identifier: Apache-2.0

import { Command, CommanderError } from "commander";
import { afterEach, expect, test, vi } from "vitest";
import { addTraceFlags, parseTraceFlags, type TraceFlags } from "./trace-flags.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

function parse(...flags: string[]): TraceFlags {
  const command = addTraceFlags(new Command("serve"))
    .exitOverride()
    .configureOutput({ writeErr() {} });
  command.parse(flags, { from: "user" });
  return parseTraceFlags(command);
}

test("no spans are made unless a collector is named, by flag or by OpenTelemetry's variable", () => {
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", undefined);
  expect(parse()).toEqual({});
  const flags = ["--otlp-endpoint=http://a:4318", "--trace-ratio=0.25"];
  expect(parse(...flags)).toEqual({ otlpEndpoint: "http://a:4318", traceRatio: 0.25 });
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://b:4318");
  vi.stubEnv("PAWL_TRACE_RATIO", "0");
  expect(parse()).toEqual({ otlpEndpoint: "http://b:4318", traceRatio: 0 });
});

test.each(["-1", "1.1", "x", ""])("a share of %j is none", (share) => {
  expect(() => parse(`--trace-ratio=${share}`)).toThrow(CommanderError);
});
