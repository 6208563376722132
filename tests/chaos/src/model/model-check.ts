// SPDX-License-Identifier: Apache-2.0

import { ActivityRuns } from "../simulation/activity-runs.ts";
import { checkStore } from "../simulation/check-rest.ts";
import { wholeCode } from "../simulation/fleet.ts";
import { SimWorker } from "../simulation/worker.ts";
import { World } from "../simulation/world/world.ts";
import { ConcurrentCalls } from "./concurrent-calls.ts";
import { instanceModel } from "./instance-model.ts";
import { linearize, type Verdict } from "./linearize.ts";

/** What one seed of the model check came to. */
export interface ModelResult {
  readonly seed: number;
  readonly hash: string;
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  /** Calls that were recorded. */
  readonly calls: number;
  /** Instances whose calls were too many to decide. */
  readonly undecided: number;
  readonly faults: number;
}

const maxSteps = 60_000;

/**
 * Several callers at once on each of two instances, with every fault of the simulation: some order
 * of the calls on an instance has to explain all answers.
 */
export async function modelCheck(seed: number, keepTrace = false): Promise<ModelResult> {
  // The model's instance does nothing while it is suspended.
  const world = new World(seed, keepTrace, { holdsBack: true });
  const { random, scheduler } = world;
  const runs = new ActivityRuns(world);
  const workers = random.integer(1, 2);
  for (let index = 0; index < workers; index += 1) {
    new SimWorker(world, runs, `worker ${index}`, wholeCode);
  }
  const instances = ["m0", "m1"].map((id) => new ConcurrentCalls(world, id));
  let isOver = false;
  const callers = instances.flatMap((instance) =>
    Array.from({ length: random.integer(2, 4) }, () =>
      instance.caller(random, random.integer(4, 9)),
    ),
  );
  Promise.all(callers)
    .catch((error: unknown) => world.violation("every answer is known", String(error)))
    .finally(() => {
      isOver = true;
    });
  world.begin();
  const lives = random.integer(1, 3);
  for (let life = 1; life < lives && !isOver; life += 1) {
    await scheduler.run(() => isOver, random.integer(50, 400));
    world.crash();
    scheduler.after(random.next() * 50, world.outside, "power", () => world.begin());
  }
  await scheduler.run(() => isOver, random.integer(200, 1000));
  world.calm();
  const end = await scheduler.run(() => isOver && scheduler.isQuiet(), maxSteps);
  if (end === "endless") world.violation("everything comes to rest", end);
  else if (!world.life.engine?.isReady()) world.violation("health is true", "not ready at rest");
  await checkStore(world, "all", false);
  let undecided = 0;
  for (const instance of instances) {
    const verdict = judge(world, instance);
    if (verdict === "unknown") undecided += 1;
  }
  const calls = instances.reduce((sum, instance) => sum + instance.calls.length, 0);
  return {
    seed,
    hash: world.trace.digest(),
    violations: world.violations,
    trace: world.trace.lines,
    calls,
    undecided,
    faults: world.faults,
  };
}

function judge(world: World, { instanceId, calls }: ConcurrentCalls): Verdict {
  const verdict = linearize(instanceModel, calls);
  if (verdict === "no") {
    for (const { operation, calledAt, answeredAt } of calls) {
      world.trace.note(`${calledAt} to ${answeredAt}: ${JSON.stringify(operation)}`);
    }
    world.violation("some order explains all answers", `none for ${instanceId}`);
  }
  return verdict;
}
