// SPDX-License-Identifier: Apache-2.0

import type { TraceContext } from "@pawl/protocol";
import type { StartCommand } from "@pawl/protocol/port";
import { traceContextOf } from "../../core/trace/trace-context.js";
import type { Tracing } from "./tracing.js";

/** The trace that an instance is started in. */
export interface StartTrace {
  readonly traceContext: TraceContext | undefined;
  /** The execution gets a span of its own. */
  readonly hasSpan: boolean;
  /** Ends the start's own span with the start; returns the start itself. */
  readonly follow: (started: Promise<void>) => Promise<void>;
}

/** The trace of a start: below the caller's, where there is one; with spans, where they are made. */
export function traceOfStart(
  tracing: Tracing | undefined,
  facts: { readonly workflow: string; readonly instanceId: string },
  { traceParent, traceState }: StartCommand,
): StartTrace {
  const caller = traceContextOf(traceParent, traceState);
  const creation = tracing?.create(facts, caller);
  if (creation === undefined) {
    return { traceContext: caller, hasSpan: false, follow: (started) => started };
  }
  const follow = (started: Promise<void>): Promise<void> => {
    started.then(() => creation.end(), creation.end);
    return started;
  };
  return { traceContext: creation.context, hasSpan: true, follow };
}
