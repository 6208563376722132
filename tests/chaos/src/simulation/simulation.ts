// SPDX-License-Identifier: Apache-2.0

import { ActivityRuns } from "./activity-runs.ts";
import { Caller } from "./caller.ts";
import { checkRest, checkStore } from "./check-rest.ts";
import { fleetOf, stepsFor } from "./fleet.ts";
import { again } from "./scenario/again.ts";
import { batches } from "./scenario/batch.ts";
import { brief } from "./scenario/brief.ts";
import { configure } from "./scenario/configure.ts";
import { orphan } from "./scenario/orphan.ts";
import { pages } from "./scenario/pages.ts";
import {
  collect,
  family,
  pure,
  relay,
  type Scenario,
  type Stage,
  wild,
} from "./scenario/scenario.ts";
import { tooMuch } from "./scenario/too-much.ts";
import { watched } from "./scenario/watched.ts";
import { Watcher } from "./watcher.ts";
import { SimWorker } from "./worker.ts";
import { ProgramMaker } from "./workflow/random-program.ts";
import { World } from "./world/world.ts";

/** What one seed came to. */
export interface SimulationResult {
  readonly seed: number;
  /** The same seed gives the same hash. */
  readonly hash: string;
  readonly violations: readonly string[];
  /** The steps, where they were asked for. */
  readonly trace: readonly string[];
  readonly steps: number;
  readonly faults: number;
  readonly lives: number;
  readonly calls: number;
  readonly activities: number;
  readonly commits: number;
}

/** More steps than any run should need: one that goes on has come to no end. */
const maxSteps = 60_000;

/** Runs one seed: a server with its lives, workers and callers, all in this thread. */
export async function simulate(seed: number, keepTrace = false): Promise<SimulationResult> {
  const world = new World(seed, keepTrace);
  const caller = new Caller(world);
  const runs = new ActivityRuns(world);
  const fleet = fleetOf(world.random);
  for (const [index, code] of fleet.entries()) {
    new SimWorker(world, runs, `worker ${index}`, code);
  }
  const watcher = new Watcher(world);
  watcher.watch();
  const loose = world.settings.echoesTokens ? (["loose"] as const) : [];
  const more = [...stepsFor(fleet), ...loose];
  const programs = new ProgramMaker(world.random, more, world.settings.handsOn);
  const stage = stageOf(world, caller, programs);
  let isOver = false;
  const played = play(stage).then(() => {
    isOver = true;
  });
  played.catch((error: unknown) => world.violation("the callers do not fail", String(error)));
  world.begin();
  const lives = world.random.integer(1, 4);
  for (let life = 1; life < lives && !isOver; life += 1) {
    await world.scheduler.run(() => isOver, world.random.integer(20, 500));
    world.crash();
    await checkStore(world, "changed", true);
    world.scheduler.after(world.random.next() * 100, world.outside, "power", () => world.begin());
  }
  await world.scheduler.run(() => isOver, world.random.integer(100, 1500));
  world.calm();
  await toRest(world, () => isOver);
  await endAll(world, caller, runs, watcher);
  const { steps } = world.scheduler;
  return {
    seed,
    hash: world.trace.digest(),
    violations: world.violations,
    trace: world.trace.lines,
    steps,
    faults: world.faults,
    lives,
    calls: caller.calls,
    activities: runs.count,
    commits: world.disk.batchCount,
  };
}

function stageOf(world: World, caller: Caller, programs: ProgramMaker): Stage {
  let ids = 0;
  return {
    world,
    caller,
    programs,
    shared: ["s0", "s1", "s2"],
    newId: (kind) => `${kind}-${++ids}`,
  };
}

/** Callers side by side, each with a few scenarios. */
async function play(stage: Stage): Promise<void> {
  const { random, settings } = stage.world;
  const { echoesTokens, briefMs, changes } = settings;
  const scenarios: readonly { weight: number; run: Scenario }[] = [
    { weight: 3, run: pure },
    { weight: 3, run: collect },
    { weight: 1.5, run: relay },
    { weight: 1, run: batches },
    { weight: 1, run: watched },
    { weight: 1, run: again },
    { weight: 0.7, run: pages },
    { weight: 0.7, run: tooMuch },
    { weight: changes ? 3 : 0, run: configure },
    // An id that is used again while its items are out needs tokens.
    { weight: echoesTokens ? 2 : 0, run: family },
    { weight: echoesTokens ? 1 : 0, run: orphan },
    { weight: echoesTokens && briefMs !== undefined ? 3 : 0, run: brief },
    { weight: echoesTokens ? 3 : 0, run: wild },
  ];
  const callers = Array.from({ length: random.integer(2, 4) }, async () => {
    for (let left = random.integer(1, 2); left > 0; left -= 1) {
      await stage.caller.pause(100);
      await random.pick(scenarios).run(stage);
    }
  });
  await Promise.all(callers);
}

/** Lets everything that can happen happen. */
async function toRest(world: World, isOver: () => boolean): Promise<void> {
  const { scheduler, disk } = world;
  const isResting = (): boolean => isOver() && scheduler.isQuiet() && disk.timerCount === 0;
  const end = await scheduler.run(isResting, maxSteps);
  if (end !== "done") world.violation("everything comes to rest", end);
}

/** Checks what is there, ends it, and checks again. */
async function endAll(
  world: World,
  caller: Caller,
  runs: ActivityRuns,
  watcher: Watcher,
): Promise<void> {
  const { engine } = world.life;
  if (world.violations.length > 0) return;
  if (engine === undefined) {
    world.violation("the server lives", "it does not");
    return;
  }
  let isOver = false;
  const check = async (): Promise<void> => {
    watcher.check(await checkRest(world, engine, caller, runs));
    for (const id of world.disk.ids()) {
      if (world.disk.row(id) === undefined) continue;
      await engine.terminate(id);
      await engine.waitForCompletion(id);
    }
  };
  check()
    .catch((error: unknown) => world.violation("the checks do not fail", String(error)))
    .finally(() => {
      isOver = true;
    });
  await toRest(world, () => isOver);
  await checkStore(world, "all", false);
}
