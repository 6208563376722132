// SPDX-License-Identifier: Apache-2.0

import { Code } from "@connectrpc/connect";
import type { ServerLogger } from "../options.js";
import { type FailureReport, isCallersFault } from "./error.js";

/**
 * Writes one line per failed call, never with payloads. Only faults of our own carry the error and
 * its stack; calls that were given up are of interest to no one but a debugger.
 */
export function createFailureLog(log: ServerLogger): FailureReport {
  return (procedure, error, sent) => {
    const facts = { procedure, code: Code[sent.code] };
    if (isCallersFault(error)) {
      log.info({ ...facts, message: sent.rawMessage }, "call failed");
      return;
    }
    switch (sent.code) {
      case Code.Internal:
      case Code.Unknown:
      case Code.DataLoss:
        log.error({ ...facts, err: error }, "call failed");
        break;
      case Code.Unavailable:
      case Code.ResourceExhausted:
        log.warn({ ...facts, message: sent.rawMessage }, "call failed");
        break;
      case Code.Canceled:
      case Code.DeadlineExceeded:
        log.debug(facts, "call given up");
        break;
      default:
        log.info({ ...facts, message: sent.rawMessage }, "call failed");
    }
  };
}
