// SPDX-License-Identifier: Apache-2.0

import type { Result } from "./result.js";

interface Column {
  readonly title: string;
  readonly cell: (result: Result) => string;
}

const columns: readonly Column[] = [
  { title: "what", cell: ({ title }) => title },
  { title: "at once", cell: ({ atOnce }) => String(atOnce) },
  { title: "per second", cell: ({ perSecond }) => perSecond.toFixed(0) },
  { title: "of limit", cell: ({ ofLimit }) => inPercent(ofLimit) },
  { title: "p50 ms", cell: ({ p50Ms }) => inDigits(p50Ms) },
  { title: "p99 ms", cell: ({ p99Ms }) => inDigits(p99Ms) },
  { title: "commits", cell: ({ commits }) => inDigits(commits) },
  { title: "CPU ms: this process", cell: ({ cpuMs }) => inDigits(cpuMs.bench) },
  { title: "server", cell: ({ cpuMs }) => inDigits(cpuMs.server) },
  { title: "worker", cell: ({ cpuMs }) => inDigits(cpuMs.worker) },
  { title: "CPU of others", cell: ({ otherCpuShare }) => inPercent(otherCpuShare) },
];

/** Results as a Markdown table, columns aligned. */
export function formatTable(results: readonly Result[]): string {
  const rows = results.map((result) => columns.map(({ cell }) => cell(result)));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((cell, index) => {
      const width = widths[index] ?? 0;
      return index === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${padded.join(" | ")} |\n`;
  };
  const rule = widths.map((width, index) =>
    index === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [columns.map(({ title }) => title), rule, ...rows].map(line).join("");
}

function inPercent(share: number | undefined): string {
  return share === undefined ? "" : `${(share * 100).toFixed(0)} %`;
}

/** Three digits that say something. */
function inDigits(value: number | undefined): string {
  if (value === undefined) return "";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
