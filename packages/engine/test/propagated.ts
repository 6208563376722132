// SPDX-License-Identifier: Apache-2.0

import { fromBinary } from "@bufbuild/protobuf";
import { EventRecord, type HistoryPropagationScope, PropagatedHistorySchema } from "@pawl/protocol";
import { kindsOf } from "./pure-instance.js";

/** One chunk of a history that was handed on. */
export interface GivenChunk {
  readonly instanceId: string;
  readonly workflow: string;
  readonly appId: string;
  /** Kinds of its events, in order. */
  readonly kinds: readonly (string | undefined)[];
}

/** A history that was handed on, for assertions; undefined: there is none. */
export function givenHistory(
  propagated: Uint8Array | undefined,
): { scope: HistoryPropagationScope; chunks: GivenChunk[] } | undefined {
  if (propagated === undefined) return undefined;
  const { scope, chunks } = fromBinary(PropagatedHistorySchema, propagated);
  return {
    scope,
    chunks: chunks.map(({ instanceId, workflowName, appId, rawEvents }) => ({
      instanceId,
      workflow: workflowName,
      appId,
      kinds: kindsOf(rawEvents.map(EventRecord.fromBytes)),
    })),
  };
}
