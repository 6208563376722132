// SPDX-License-Identifier: Apache-2.0

import { DaprError } from "./error.js";

const rfc3339 =
  /^(\d{4}-\d{2}-\d{2})[Tt](?!24)\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** Milliseconds since 1970 of an RFC 3339 time, `2026-01-31T12:00:00Z`; undefined when it is none. */
export function parseInstant(text: string): number | undefined {
  const day = rfc3339.exec(text)?.[1];
  const at = day !== undefined && isDay(day) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/**
 * Parses the option `dapr.workflow.start_time` into milliseconds since 1970.
 * @throws ERR_START_WORKFLOW when it is not an RFC 3339 time
 */
export function parseStartTime(text: string, workflow: string): number {
  const at = parseInstant(text);
  if (at === undefined) {
    throw DaprError.refused(
      "start",
      `error starting workflow '${workflow}': start times must be in RFC3339 format (e.g. "2009-11-10T23:00:00Z")`,
    );
  }
  return at;
}

/** False for the 30th of February, which `Date.parse` takes for the second of March. */
function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
