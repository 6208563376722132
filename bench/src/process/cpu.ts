// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";

/** Processes that take part in a measurement: the one that drives it, and those that it started. */
export const processNames = ["driver", "server", "worker"] as const;

/** The name of a process that takes part. */
export type ProcessName = (typeof processNames)[number];

/** Linux counts the CPU time of a process in hundredths of a second. */
const tickMs = 10;

/** CPU time that this process has used, all its threads together. */
export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * CPU time that another process has used, with its children, also those that have ended; undefined
 * where the system does not show it.
 */
export function processCpuMs(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  const processes = readProcesses();
  const sum = (parent: number): number =>
    processes
      .filter((candidate) => candidate.parent === parent)
      .reduce((total, child) => total + child.cpuMs + sum(child.pid), 0);
  const own = processes.find((candidate) => candidate.pid === pid);
  return own && own.cpuMs + sum(pid);
}

/** Bytes of memory that a process has in use; undefined where the system does not show it. */
export function processMemoryBytes(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  const [, kilobytes] =
    /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** CPU time that all processes of the machine have used. */
export function machineBusyMs(): number {
  return cpus().reduce(
    (sum, { times }) => sum + times.user + times.nice + times.sys + times.irq,
    0,
  );
}

interface ProcessLine {
  readonly pid: number;
  readonly parent: number;
  readonly cpuMs: number;
}

function readProcesses(): ProcessLine[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

function readProcess(pid: number): ProcessLine | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may hold anything. From the state on: own user and system time and
    // that of ended children are fields 14 to 17, the parent is field 4.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { pid, parent: Number(fields[1]), cpuMs: ticks * tickMs };
  } catch {
    // It has ended.
    return undefined;
  }
}
