// SPDX-License-Identifier: Apache-2.0

import type { EngineSettings } from "@pawl/engine";
import type { Random } from "../../random.ts";
import { activityNames, briefName, workflowNames } from "../workflow/names.ts";

/** How the server of a run is set up, in all of its lives. */
export interface Settings
  extends Required<Pick<EngineSettings, "concurrency" | "keepExecutions" | "retention">> {
  /** Milliseconds for which an ended instance of the workflow `briefName` is kept; undefined: for ever. */
  readonly briefMs: number | undefined;
  /** The workers give the tokens of their items back: without, an answer names its instance alone. */
  readonly echoesTokens: boolean;
  /** The workers do nothing for an instance that is suspended. */
  readonly holdsBack: boolean;
  /** Some activities and children are given histories of those above them. */
  readonly handsOn: boolean;
}

/** Settings of a run: most have no limits, so that these are seen alone. */
export function randomSettings(random: Random): Settings {
  const briefMs = random.chance(0.3) ? random.integer(0, 2000) : undefined;
  const limit = (): number => (random.chance(0.5) ? random.integer(1, 4) : 0);
  const limits = (names: readonly string[]): Record<string, number> =>
    Object.fromEntries(names.map((name) => [name, limit()]));
  const concurrency = random.chance(0.25)
    ? {
        turns: limit(),
        activities: limit(),
        turnsOf: limits(workflowNames),
        activitiesOf: limits(activityNames),
      }
    : {};
  const retention =
    briefMs === undefined ? {} : { byWorkflow: { [briefName]: { anyMs: briefMs } } };
  const echoesTokens = random.chance(0.95);
  return {
    concurrency,
    keepExecutions: random.chance(0.8),
    retention,
    briefMs,
    echoesTokens,
    holdsBack: random.chance(0.8),
    handsOn: random.chance(0.25),
  };
}
