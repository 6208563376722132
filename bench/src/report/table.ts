// SPDX-License-Identifier: Apache-2.0

import type { Result } from "./result.js";
import type { Target } from "./targets.js";

interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
}

const resultColumns: readonly Column<Result>[] = [
  { title: "what", cell: nameOf },
  { title: "system", cell: ({ title }) => title },
  { title: "at once", cell: ({ atOnce }) => String(atOnce) },
  { title: "per second", cell: ({ perSecond }) => inDigits(perSecond) },
  { title: "p50 ms", cell: ({ p50Ms }) => inDigits(p50Ms) },
  { title: "p99 ms", cell: ({ p99Ms }) => inDigits(p99Ms) },
  { title: "commits", cell: ({ commits }) => inDigits(commits) },
  { title: "CPU ms: driver", cell: ({ cpuMs }) => inDigits(cpuMs.driver) },
  { title: "server", cell: ({ cpuMs }) => inDigits(cpuMs.server) },
  { title: "worker", cell: ({ cpuMs }) => inDigits(cpuMs.worker) },
  { title: "others", cell: ({ otherCpuShare }) => `${(otherCpuShare * 100).toFixed(0)} %` },
];

const targetColumns: readonly Column<Target>[] = [
  { title: "target", cell: ({ name }) => name },
  { title: "wanted", cell: ({ wanted }) => wanted },
  { title: "found", cell: ({ value }) => (value === undefined ? "not measured" : inDigits(value)) },
  { title: "met", cell: ({ isMet }) => (isMet === undefined ? "" : isMet ? "yes" : "no") },
  { title: "of at most", cell: ({ ceiling }) => inDigits(ceiling) },
];

/** Results as a Markdown table, columns aligned. */
export function formatTable(results: readonly Result[]): string {
  return format(resultColumns, results);
}

/** Targets as a Markdown table. */
export function formatTargets(targets: readonly Target[]): string {
  return format(targetColumns, targets);
}

/** What else was found, a line for each result that has more. */
export function formatFacts(results: readonly Result[]): string {
  return results
    .flatMap((result) => {
      const facts = Object.entries(result.facts ?? {}).map(
        ([name, value]) => `${name} ${inDigits(value)}`,
      );
      const { title, atOnce } = result;
      return facts.length === 0
        ? []
        : [`- ${nameOf(result)}, ${title}, ${atOnce} at once: ${facts.join(", ")}\n`];
    })
    .join("");
}

function nameOf({ workload, size }: Result): string {
  return size === 1 ? workload : `${workload} ${size.toLocaleString("en")}`;
}

function format<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((row) => row[index]?.length ?? 0)),
  );
  const isText = (index: number): boolean => index === 0 || columns[index]?.title === "system";
  const line = (texts: readonly string[]): string => {
    const padded = texts.map((text, index) => {
      const width = widths[index] ?? 0;
      return isText(index) ? text.padEnd(width) : text.padStart(width);
    });
    return `| ${padded.join(" | ")} |\n`;
  };
  const rule = widths.map((width, index) =>
    isText(index) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [columns.map(({ title }) => title), rule, ...cells].map(line).join("");
}

/** Three digits that say something. */
function inDigits(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
