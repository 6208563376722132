// SPDX-License-Identifier: Apache-2.0

import type { EngineSettings } from "@pawl/engine";
import type { Random } from "../../random.ts";
import { activityNames, briefName, workflowNames } from "../workflow/names.ts";

/** How the server of a run is set up, in all of its lives. */
export interface Settings
  extends Required<Pick<EngineSettings, "concurrency" | "keepExecutions" | "retention">> {
  /** Milliseconds for which an ended instance of the workflow `briefName` is kept; undefined: for ever. */
  readonly briefMs: number | undefined;
  /** Events that a history may have; undefined: more than any comes to. */
  readonly historyEvents: number | undefined;
  /** Limits and times change while the server is at work. */
  readonly changes: boolean;
  /** The workers give the tokens of their items back: without, an answer names its instance alone. */
  readonly echoesTokens: boolean;
  /** The workers do nothing for an instance that is suspended. */
  readonly holdsBack: boolean;
  /** Some activities and children are given histories of those above them. */
  readonly handsOn: boolean;
}

/** Far more events than any history comes to that is not made to. */
const historyEvents = 300;

/** Settings of a run: most have no limits, so that these are seen alone. */
export function randomSettings(random: Random): Settings {
  const changes = random.chance(0.2);
  const briefMs = random.chance(changes ? 0.7 : 0.3) ? random.integer(0, 2000) : undefined;
  return {
    ...randomLimits(random, changes, briefMs),
    keepExecutions: random.chance(0.8),
    historyEvents: random.chance(0.2) ? historyEvents : undefined,
    changes,
    echoesTokens: random.chance(0.95),
    holdsBack: random.chance(0.8),
    handsOn: random.chance(0.25),
  };
}

/** The same settings with other limits and times. */
export function changedSettings(settings: Settings, random: Random): Settings {
  const briefMs = settings.briefMs === undefined ? undefined : random.integer(0, 2000);
  return { ...settings, ...randomLimits(random, settings.changes, briefMs) };
}

/** What an engine is told of them. */
export function engineSettings(settings: Settings): EngineSettings {
  const { concurrency, keepExecutions, retention, historyEvents } = settings;
  const historyLimit = historyEvents === undefined ? {} : { events: historyEvents };
  return { concurrency, keepExecutions, retention, historyLimit };
}

function randomLimits(
  random: Random,
  changes: boolean,
  briefMs: number | undefined,
): Pick<Settings, "concurrency" | "retention" | "briefMs"> {
  const limit = (): number => (random.chance(0.5) ? random.integer(1, 4) : 0);
  const limits = (names: readonly string[]): Record<string, number> =>
    Object.fromEntries(names.map((name) => [name, limit()]));
  const concurrency = random.chance(changes ? 0.5 : 0.25)
    ? {
        turns: limit(),
        activities: limit(),
        turnsOf: limits(workflowNames),
        activitiesOf: limits(activityNames),
      }
    : {};
  const retention =
    briefMs === undefined ? {} : { byWorkflow: { [briefName]: { anyMs: briefMs } } };
  return { concurrency, retention, briefMs };
}
