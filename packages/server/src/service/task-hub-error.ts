// SPDX-License-Identifier: Apache-2.0

import { EngineError, isEngineError } from "@pawl/engine";
import type { ErrorCode } from "@pawl/protocol";
import { StrictRefusal } from "../dapr/strict-refusal.js";
import { daprCause } from "../error-map.js";

/** How a failure of the sidecar service is put. */
export interface DaprWording {
  /** Texts for codes, in place of the usual ones. */
  readonly words?: Partial<Record<ErrorCode, string>>;
  /** With the status UNKNOWN that Dapr has for what is a plain error in its engine. @default false */
  readonly strict?: boolean;
}

/** Failures that are plain errors in Dapr's engine. */
const plainErrors: ReadonlySet<ErrorCode> = new Set(["INSTANCE_NOT_FOUND", "INSTANCE_NOT_ENDED"]);

/**
 * Runs a command and puts its failure into the words of Dapr's engine, which SDKs look for in
 * messages. The code stays, unless `strict`: it is more exact than Dapr's UNKNOWN.
 *
 * @param prefix what Dapr puts in front of the cause
 */
export async function inDaprWords<T>(
  prefix: string,
  run: () => Promise<T>,
  { words = {}, strict = false }: DaprWording = {},
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof StrictRefusal) throw error.after(prefix);
    if (!isEngineError(error) || error.code === "INTERNAL") {
      throw error;
    }
    const cause = words[error.code] ?? daprCause(error.code, error.message);
    if (strict && plainErrors.has(error.code)) {
      throw StrictRefusal.plain(`${prefix}${cause}`);
    }
    throw new EngineError(error.code, `${prefix}${cause}`, {
      details: error.details,
      cause: error,
    });
  }
}
