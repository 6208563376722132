// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** Processes that take part in a bench: the one that drives it, and those that it started. */
export const processNames = ["bench", "server", "worker"] as const;

/** The name of a process that takes part. */
export type ProcessName = (typeof processNames)[number];

/** Linux counts the CPU time of a process in hundredths of a second. */
const tickMs = 10;

/** CPU time that this process has used, all its threads together. */
export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** CPU time that another process has used; undefined where the system does not show it. */
export function processCpuMs(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name, in parentheses, may hold anything; user and system time are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** CPU time that all processes of the machine have used. */
export function machineBusyMs(): number {
  return cpus().reduce(
    (sum, { times }) => sum + times.user + times.nice + times.sys + times.irq,
    0,
  );
}
