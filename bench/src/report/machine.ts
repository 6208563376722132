// SPDX-License-Identifier: Apache-2.0

import { readFileSync, realpathSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from "node:os";

/** What figures depend on. Names no host and no folder. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  /** File system of the data folders. */
  readonly disk: string;
  readonly node: string;
}

/** Describes this machine. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    disk: diskOf(realpathSync(tmpdir())),
    node: process.versions.node,
  };
}

/** Processes that wanted a core on average in the last minute, this benchmark's own among them. */
export function loadAverage(): number {
  return loadavg()[0] ?? Number.NaN;
}

/** The file system that a folder is on: that of the longest mount point above it. */
function diskOf(folder: string): string {
  if (process.platform !== "linux") return "unknown";
  let best = { point: "", type: "unknown" };
  for (const line of readFileSync("/proc/mounts", "utf8").split("\n")) {
    const [, point = "", type = ""] = line.split(" ");
    const isAbove = point === "/" || folder === point || folder.startsWith(`${point}/`);
    if (isAbove && point.length >= best.point.length) best = { point, type };
  }
  return best.type;
}
