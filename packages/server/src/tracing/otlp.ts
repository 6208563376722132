// SPDX-License-Identifier: Apache-2.0

import { EngineError, type Logger, type TracingOptions } from "@pawl/engine";

/** Where spans go. */
export interface OtlpOptions {
  /** The collector: "http://127.0.0.1:4318". Spans go to `/v1/traces` below it, as protobuf over HTTP. */
  readonly endpoint: string;
  /** Share of the traces that begin here which are recorded, from 0 to 1. @default 1 */
  readonly sampleRatio?: number;
  /** `service.name` of the spans, where `OTEL_SERVICE_NAME` gives none. @default "pawl" */
  readonly serviceName?: string;
  /** Told when spans cannot be sent, at most once a minute. @default nobody */
  readonly logger?: Pick<Logger, "warn">;
}

/** An export that is under way. */
export interface OtlpExport {
  /** For the engine's options. */
  readonly tracing: TracingOptions;
  /** Sends what is left, which takes at most a few seconds, and stops. */
  close(): Promise<void>;
}

/** Spans that wait to be sent; what comes beyond is dropped. */
const queuedSpans = 65_536;
/** A collector that does not answer holds a stop up no longer than this. */
const lastExportMs = 3_000;

/**
 * Begins to send spans to an OpenTelemetry collector, in batches and beside the engine's work.
 * OpenTelemetry's packages are loaded here and nowhere else. Headers, timeout and compression are
 * those of `OTEL_EXPORTER_OTLP_*`, resource attributes those of `OTEL_RESOURCE_ATTRIBUTES`.
 * @throws INVALID_ARGUMENT when the endpoint is no HTTP URL, or the share is none
 */
export async function openOtlpExport(options: OtlpOptions): Promise<OtlpExport> {
  const { sampleRatio = 1, serviceName = "pawl", logger } = options;
  const url = tracesUrl(options.endpoint);
  if (!(sampleRatio >= 0 && sampleRatio <= 1)) {
    throw invalid("sampleRatio", `a share of traces is a number from 0 to 1, not ${sampleRatio}`);
  }
  const [{ BatchSpanProcessor }, { OTLPTraceExporter }, resources, { toReadableSpan }, { Quiet }] =
    await Promise.all([
      import("@opentelemetry/sdk-trace"),
      import("@opentelemetry/exporter-trace-otlp-proto"),
      import("@opentelemetry/resources"),
      import("./readable-span.js"),
      import("./quiet-exporter.js"),
    ]);
  const resource = resources
    .resourceFromAttributes({ "service.name": serviceName })
    .merge(resources.detectResources({ detectors: [resources.envDetector] }));
  const processor = new BatchSpanProcessor({
    exporter: new Quiet(new OTLPTraceExporter({ url }), logger),
    maxQueueSize: queuedSpans,
    exportTimeoutMillis: lastExportMs * 10,
  });
  return {
    tracing: { sampleRatio, emit: (span) => processor.onEnd(toReadableSpan(span, resource)) },
    async close() {
      const timeout = AbortSignal.timeout(lastExportMs);
      const late = new Promise<void>((resolve) =>
        timeout.addEventListener("abort", () => resolve()),
      );
      await Promise.race([processor.shutdown().catch(() => {}), late]);
    },
  };
}

/** @throws INVALID_ARGUMENT */
function tracesUrl(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw invalid(
      "otlpEndpoint",
      `"${endpoint}" is not the URL of a collector: http://127.0.0.1:4318`,
    );
  }
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/v1/traces`;
  return url.toString();
}

function invalid(field: string, message: string): EngineError {
  return new EngineError("INVALID_ARGUMENT", message, { details: { field } });
}
