// SPDX-License-Identifier: Apache-2.0

import { type DestinationStream, pino } from "pino";
import type { ServerLogger } from "./options.js";

/** How much is logged, from most to least. */
export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;

/** One of `logLevels`. */
export type LogLevel = (typeof logLevels)[number];

/**
 * A logger that writes JSON lines, to stderr unless told otherwise: stdout stays free for what people
 * wait for.
 */
export function createLog(
  level: LogLevel,
  destination: DestinationStream = pino.destination({ dest: 2, sync: true }),
): ServerLogger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}
