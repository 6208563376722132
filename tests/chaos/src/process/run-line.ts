// SPDX-License-Identifier: Apache-2.0

import type { TaskName } from "../load/activity-log.ts";

/** A line that a worker process writes when an activity begins or ends. */
export interface RunLine extends TaskName {
  readonly what: "begin" | "end";
  /** The machine's clock, in milliseconds since 1970. */
  readonly at: number;
}

/** Reads the lines of a worker; one that a kill cut off in its middle is left out. */
export function parseRunLines(text: string): RunLine[] {
  const lines = text.split("\n").slice(0, -1);
  // Only worker processes write these files.
  return lines.map((line) => JSON.parse(line) as RunLine);
}
