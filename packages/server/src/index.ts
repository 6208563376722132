// SPDX-License-Identifier: Apache-2.0

// A server inside your own process.
export { createServer, type PawlServer } from "./server.js";
export type { ServedEngine, ServerLogger, ServerOptions } from "./options.js";
export type { ListenLimits } from "./limit/listen-limits.js";

// Spans for an engine in your own process.
export { type OtlpExport, type OtlpOptions, openOtlpExport } from "./tracing/otlp.js";

// A program of its own that takes the flags of `pawl serve`.
export { addServeFlags, parseServeFlags, type ServeFlags } from "./flags.js";
export { type ServeHooks, serve } from "./serve.js";
export type { LogLevel } from "./log.js";
