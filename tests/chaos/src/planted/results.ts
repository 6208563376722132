// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { plantedFaults } from "../../planted/index.ts";
import type { PlantedResult } from "./planted.ts";

const chaos = resolve(import.meta.dirname, "../..");
const resultsFile = resolve(chaos, "planted/results.json");
const page = resolve(chaos, "../../docs/reliability.md");
const begin = "<!-- planted faults: written by `pnpm chaos planted --write` -->";
const end = "<!-- planted faults: end -->";

/** The newest result of each planted fault, as they were written last. */
export function readResults(): PlantedResult[] {
  if (!existsSync(resultsFile)) return [];
  const results: PlantedResult[] = JSON.parse(readFileSync(resultsFile, "utf8"));
  return results;
}

/** Adds results to those of before, and writes the table of the reliability page anew. */
export function writeResults(results: readonly PlantedResult[]): void {
  const newest = new Map([...readResults(), ...results].map((result) => [result.name, result]));
  const known = plantedFaults.flatMap(({ name }) => newest.get(name) ?? []);
  writeFileSync(resultsFile, `${JSON.stringify(known, undefined, 2)}\n`);
  writePage(tableOf(known));
}

function writePage(table: string): void {
  const text = existsSync(page) ? readFileSync(page, "utf8") : "# Reliability\n";
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  const section = `${begin}\n\n${table}\n\n${end}`;
  const next =
    from < 0 || to < from
      ? `${text.trimEnd()}\n\n## Planted faults\n\n${section}\n`
      : text.slice(0, from) + section + text.slice(to + end.length);
  writeFileSync(page, next);
}

/** The results as a table. */
export function tableOf(results: readonly PlantedResult[]): string {
  const caught = results.filter(({ caughtBy }) => caughtBy !== undefined).length;
  const rows = results.map(({ name, breaks, caughtBy, seconds, found }) => {
    const plain = found.replaceAll("|", "/").replaceAll("`", "'").replaceAll("<", "&lt;");
    return `| ${name} | ${breaks} | ${caughtBy ?? "**nobody**"} | ${seconds.toFixed(0)} | ${plain} |`;
  });
  return [
    `${caught} of ${results.length} planted faults are caught.`,
    "",
    "| fault | what it breaks | caught by | s | first finding |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}
