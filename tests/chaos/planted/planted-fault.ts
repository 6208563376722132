// SPDX-License-Identifier: Apache-2.0

/**
 * A way to test the engine, or the server. "engine", "server": the package's own tests, named in `tests`; a
 * fault whose suite is "server" is in the server, any other in the engine.
 */
export type SuiteName =
  | "simulation"
  | "store"
  | "model"
  | "power"
  | "damage"
  | "full"
  | "engine"
  | "server";

/** A small change of the engine, or the server, that breaks a promise: some suite must notice. */
export interface PlantedFault {
  readonly name: string;
  /** What is broken, in a few words. */
  readonly breaks: string;
  /** The file, below the package's src. */
  readonly file: string;
  /** Text that the file has exactly once. */
  readonly search: string;
  readonly replace: string;
  /** The suite that must catch it. */
  readonly suite: SuiteName;
  /** For the suites "engine" and "server": parts of the paths of the tests that are run. */
  readonly tests?: readonly string[];
}
