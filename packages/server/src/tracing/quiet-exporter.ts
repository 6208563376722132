// SPDX-License-Identifier: Apache-2.0

import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import type { Logger } from "@pawl/engine";

/** Failures are told this often. */
const quietMs = 60_000;

/** An exporter whose failures are a line in the log now and then, and nothing else. */
export class Quiet implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #logger: Pick<Logger, "warn"> | undefined;
  #lost = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(exporter: SpanExporter, logger: Pick<Logger, "warn"> | undefined) {
    this.#exporter = exporter;
    this.#logger = logger;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans, ({ code, error }) => {
      if (code !== ExportResultCode.SUCCESS) this.#fail(spans.length, error);
      done({ code: ExportResultCode.SUCCESS });
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  #fail(spans: number, error: Error | undefined): void {
    this.#lost += spans;
    const now = performance.now();
    if (now - this.#toldAt < quietMs) return;
    this.#toldAt = now;
    this.#logger?.warn({ spans: this.#lost, reason: error?.message }, "spans could not be sent");
    this.#lost = 0;
  }
}
