// SPDX-License-Identifier: Apache-2.0

import { describeSpread, describeViolations } from "../report.ts";
import type { DamageReport } from "./damage.ts";
import type { FullDiskReport } from "./full-disk.ts";
import type { PowerCutReport } from "./power-cut.ts";
import type { TwoProcessesReport } from "./two-processes.ts";

/** A run of `cutPower` as lines for people. */
export function describePowerCuts(report: PowerCutReport): string {
  const { seed, operations, acknowledgements, outcomes, seconds, violations } = report;
  const lines = [...outcomes].map(([policy, { opened, refused }]) => {
    const codes = [...refused].map(([code, times]) => `, refused with ${code}: ${times}`);
    return `  ${policy}: opened: ${opened}${codes.join("")}`;
  });
  const images = [...outcomes.values()].map(({ opened, refused }) =>
    [...refused.values()].reduce((sum, times) => sum + times, opened),
  );
  return [
    `seed ${seed}: ${images.reduce((sum, each) => sum + each, 0)} images of a run with ${operations} operations on files and ${acknowledgements} acknowledgements, in ${seconds.toFixed(0)} s`,
    ...lines,
    ...describeViolations(violations),
  ].join("\n");
}

/** A run of `fillDisk` as lines for people. */
export function describeFullDisk(report: FullDiskReport): string {
  const { seed, full, rounds, instances, backMs, seconds, violations } = report;
  return [
    `seed ${seed}: the disk was full ${full} times in ${rounds} rounds, ${instances} instances, in ${seconds.toFixed(0)} s`,
    `an acknowledged start after space is back (ms): ${describeSpread(backMs)}`,
    ...describeViolations(violations),
  ].join("\n");
}

/** A run of `damageFiles` as lines for people. */
export function describeDamage(report: DamageReport): string {
  const { seed, outcomes, seconds, violations } = report;
  const lines = outcomes.map(({ kind, harm, refused, parked, harmless }) => {
    return `  ${harm} ${kind}: refused ${refused}, parked ${parked}, harmless ${harmless}`;
  });
  const cases = outcomes.reduce((sum, each) => sum + each.refused + each.parked + each.harmless, 0);
  return [
    `seed ${seed}: ${cases} cases, in ${seconds.toFixed(0)} s`,
    ...lines,
    ...describeViolations(violations),
  ].join("\n");
}

/** A run of `raceProcesses` as lines for people. */
export function describeRaces({ seed, rounds, seconds, violations }: TwoProcessesReport): string {
  const head = `seed ${seed}: ${rounds} times two servers on one folder, in ${seconds.toFixed(0)} s`;
  return [head, ...describeViolations(violations)].join("\n");
}
