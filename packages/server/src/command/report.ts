// SPDX-License-Identifier: Apache-2.0

import type { VerifyReport } from "@pawl/engine";

/** A folder's report, and what it is about. */
export interface TitledReport {
  readonly report: VerifyReport;
  readonly title: string;
}

/**
 * A text on one line that does nothing to a terminal: its control characters are shown escaped, as in JSON. Names
 * are their givers' to choose, and who may start a workflow is not who looks at it.
 */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * Prints what is damaged, one line each, then the counts, for each folder; exit code 2 when anything is
 * damaged.
 */
export function printReports(reports: readonly TitledReport[]): void {
  for (const { report, title } of reports) printReport(report, title);
  const isSound = reports.every(
    ({ report: { damaged, indexFaults = [] } }) => damaged.length + indexFaults.length === 0,
  );
  process.exitCode = isSound ? 0 : 2;
}

function printReport(report: VerifyReport, title: string): void {
  const { instances, events, damaged, lost, indexFaults = [] } = report;
  const lines = [
    ...lost.map((block) => `lost: ${block}`),
    ...damaged.map(({ instanceId, reason }) => `${instanceId}: ${reason}`),
    ...indexFaults.map(({ instanceId, reason }) => `${instanceId}: index: ${reason}`),
  ];
  for (const line of lines) process.stdout.write(`${oneLine(line)}\n`);
  const counts = `${instances} instances, ${events} events, ${damaged.length} damaged, ${indexFaults.length} index faults`;
  process.stdout.write(`${title === "" ? "" : `${title}: `}${counts}\n`);
}

/** One line on stderr, and exit code 1. */
export function failWith(reason: string): void {
  process.stderr.write(`pawl: ${oneLine(reason.trim())}\n`);
  process.exitCode = 1;
}
