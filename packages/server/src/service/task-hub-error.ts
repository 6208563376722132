// SPDX-License-Identifier: Apache-2.0

import { EngineError, isEngineError } from "@pawl/engine";
import type { ErrorCode } from "@pawl/protocol";
import { daprCause } from "../error-map.js";

/**
 * Runs a command and puts its failure into the words of Dapr's engine, which SDKs look for in
 * messages. The code stays: it is more exact than Dapr's UNKNOWN.
 *
 * @param prefix what Dapr puts in front of the cause
 * @param words texts for codes, in place of the usual ones
 */
export async function inDaprWords<T>(
  prefix: string,
  run: () => Promise<T>,
  words: Partial<Record<ErrorCode, string>> = {},
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isEngineError(error) || error.code === "INTERNAL") {
      throw error;
    }
    const cause = words[error.code] ?? daprCause(error.code, error.message, "");
    throw new EngineError(error.code, `${prefix}${cause}`, {
      details: error.details,
      cause: error,
    });
  }
}
