// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { type TaskFailureDetails, TaskFailureDetailsSchema } from "@pawl/protocol";

/** Failures within failures that are kept; what is nested deeper could not be written down. */
const depthLimit = 64;

/** A failure as it goes into history: unchanged, but for what is nested beyond any use. */
export function boundFailure(failure: TaskFailureDetails): TaskFailureDetails {
  return chainOf(failure).length < depthLimit ? failure : cut(failure, depthLimit);
}

function cut({ innerFailure, ...own }: TaskFailureDetails, depth: number): TaskFailureDetails {
  if (innerFailure === undefined || depth === 1) return create(TaskFailureDetailsSchema, own);
  const inner = cut(innerFailure, depth - 1);
  return create(TaskFailureDetailsSchema, { ...own, innerFailure: inner });
}

/** Characters of the texts of a failure. */
export function failureLength(failure: TaskFailureDetails): number {
  return chainOf(failure).reduce((sum, { errorType, errorMessage, stackTrace = "" }) => {
    return sum + errorType.length + errorMessage.length + stackTrace.length;
  }, 0);
}

/** The failure and those within it, down to the limit. */
function chainOf(failure: TaskFailureDetails): TaskFailureDetails[] {
  const chain: TaskFailureDetails[] = [];
  let one: TaskFailureDetails | undefined = failure;
  while (one !== undefined && chain.length < depthLimit) {
    chain.push(one);
    one = one.innerFailure;
  }
  return chain;
}
