// SPDX-License-Identifier: Apache-2.0

import type { ProcessName } from "../process/cpu.js";
import type { Sample, Task } from "../workload/sample.js";

/** Something that is measured: Pawl in one of its forms, a peer, or a limit of the machine. */
export interface System {
  /** Does one task. Leaves nothing running. */
  measure(task: Task): Promise<Sample>;
  close(): Promise<void>;
}

/** Raises an event on an instance that waits for it, and resolves when the instance has ended. */
export type RaiseAndFinish = () => Promise<unknown>;

/** A system that runs workflows, by what it can run. Each method rejects when a result is wrong. */
export interface WorkflowSystem {
  /**
   * Processes that it uses besides this one, by role; with all their children. A driver is one that
   * this one drives it with.
   */
  readonly pids: Readonly<Partial<Record<ProcessName, number>>>;
  /** Synced writes so far, where that can be told. */
  readonly countCommits?: () => number;
  /** Three activities, one after another, each with the output of the one before. */
  readonly chain?: () => Promise<unknown>;
  /** `width` activities at the same time. */
  readonly fanOut?: (width: number) => Promise<unknown>;
  /**
   * `count` activities, one after another. Resolves with instants in milliseconds: of the first
   * activity, the hundredth, the hundredth from the end, and the last.
   */
  readonly steps?: (count: number) => Promise<readonly number[]>;
  /** Starts `count` instances that wait for an event; resolves when all do. */
  readonly startWaiting?: (count: number) => Promise<readonly RaiseAndFinish[]>;
  /** Lets `count` instances sleep until one instant; resolves with what was found. */
  readonly sleep?: (count: number) => Promise<Readonly<Record<string, number>>>;
  readonly close: () => Promise<void>;
}

/** What a system is opened with. */
export interface Toolbox {
  /** Starts a Node program, in a process that ends with this one. */
  readonly startNode: StartProgram;
  /** Starts any program likewise. */
  readonly startProgram: StartProgram;
  /** A new empty folder, removed at the end. */
  readonly makeTempFolder: () => Promise<string>;
}

/** Resolves when the program has printed a line that begins with `ready`; at once when that is "". */
export type StartProgram = (
  program: string,
  programArguments: readonly string[],
  ready: string,
  settings?: ProgramSettings,
) => Promise<RunningProgram>;

/** How a program is started. */
export interface ProgramSettings {
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Throw its errors away. @default false */
  readonly quiet?: boolean;
  /** Run as this user and group. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Told of each line that it prints once it is ready. @default nobody is */
  readonly onLine?: (line: string) => void;
}

/** A program that was started. */
export interface RunningProgram {
  readonly pid: number;
  /** What the ready line says after its first words. */
  readonly address: string;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  /** Gives it a line to read. */
  write(line: string): void;
  stop(): Promise<void>;
}

/** A module that opens a system. */
export interface SystemModule {
  open(
    toolbox: Toolbox,
    options: Readonly<Record<string, string>>,
  ): Promise<System | WorkflowSystem>;
}
