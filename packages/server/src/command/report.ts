// SPDX-License-Identifier: Apache-2.0

import type { VerifyReport } from "@pawl/engine";

/** A folder's report, and what it is about. */
export interface TitledReport {
  readonly report: VerifyReport;
  readonly title: string;
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
  for (const block of lost) process.stdout.write(`lost: ${block}\n`);
  for (const { instanceId, reason } of damaged) process.stdout.write(`${instanceId}: ${reason}\n`);
  for (const { instanceId, reason } of indexFaults) {
    process.stdout.write(`${instanceId}: index: ${reason}\n`);
  }
  const counts = `${instances} instances, ${events} events, ${damaged.length} damaged, ${indexFaults.length} index faults`;
  process.stdout.write(`${title === "" ? "" : `${title}: `}${counts}\n`);
}

/** One line on stderr, and exit code 1. */
export function failWith(reason: string): void {
  process.stderr.write(`pawl: ${reason}\n`);
  process.exitCode = 1;
}
