// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { type TraceContext, TraceContextSchema } from "@pawl/protocol";

/** A W3C traceparent: version, trace id, parent id, flags. */
const traceParentForm = /^[0-9a-f]{2}-[0-9a-f]{32}-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** The trace context of a caller; what is not a traceparent is left out, as some clients send less. */
export function traceContextOf(traceParent: string | undefined): TraceContext | undefined {
  const match = traceParent === undefined ? null : traceParentForm.exec(traceParent);
  if (match === null) return undefined;
  return create(TraceContextSchema, { traceParent: match[0], spanID: match[1] ?? "" });
}
