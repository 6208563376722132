// SPDX-License-Identifier: Apache-2.0

/** A way to test the engine. "engine": its own tests, named in `tests`. */
export type SuiteName = "simulation" | "store" | "model" | "engine";

/** A small change of the engine that breaks a promise: some suite must notice. */
export interface PlantedFault {
  readonly name: string;
  /** What is broken, in a few words. */
  readonly breaks: string;
  /** The file, below packages/engine/src. */
  readonly file: string;
  /** Text that the file has exactly once. */
  readonly search: string;
  readonly replace: string;
  /** The suite that must catch it. */
  readonly suite: SuiteName;
  /** For the suite "engine": parts of the paths of the tests that are run. */
  readonly tests?: readonly string[];
}
