// SPDX-License-Identifier: Apache-2.0

import {
  type AnyActivity,
  type AnyWorkflow,
  type Client,
  createClient,
  createWorker,
  type InputOf,
  type Logger,
  type OutputOf,
  type Worker,
} from "@pawl/client";
import { type Engine, openEngine } from "@pawl/engine";
import type { HistoryEvent } from "@pawl/protocol";
import {
  type ActivityCall,
  type ActivityCode,
  ActivityRecorder,
  type Replacements,
} from "./activity-recorder.js";
import { createSkippingPort } from "./skipping-port.js";
import { TimeSkipper } from "./time-skipper.js";
import { VirtualClock } from "./virtual-clock.js";

/** What a test environment is made of. */
export interface TestEnvironmentOptions<A extends readonly AnyActivity[]> {
  readonly workflows: readonly AnyWorkflow[];
  /** @default none */
  readonly activities?: A;
  /** Code to run instead of an activity's own, by its name. @default none */
  readonly replace?: Replacements<A>;
  /** The first instant of virtual time, in ms since 1970. @default 2030-01-01 (UTC) */
  readonly startAt?: number;
  /** Where log lines of workflows and activities go. @default nowhere */
  readonly logger?: Logger;
}

/** Virtual time, as a test moves it. */
export interface TestClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Goes on by this many milliseconds, through every timer on the way; resolves when all is idle. */
  advance(byMs: number): Promise<void>;
  /** Goes on to an instant, through every timer on the way; resolves when all is idle. */
  advanceTo(at: number): Promise<void>;
}

type Named<A extends readonly AnyActivity[], N> = Extract<A[number], { readonly name: N }>;

const silent: Logger = { info() {}, warn() {}, error() {} };

/**
 * The real engine in memory, a worker in the same process, and virtual time: while a test awaits
 * a result, time jumps to the next timer as soon as nothing else is left to do.
 */
export class TestEnvironment<A extends readonly AnyActivity[] = readonly AnyActivity[]> {
  /** Manages instances; waiting through it skips time. */
  readonly client: Client;
  readonly clock: TestClock;
  /** Starts an instance. */
  readonly start: Client["start"];
  readonly #engine: Engine;
  readonly #worker: Worker;
  readonly #recorder: ActivityRecorder;

  /** @internal use createTestEnvironment */
  constructor(engine: Engine, clock: VirtualClock, options: TestEnvironmentOptions<A>) {
    const skipper = new TimeSkipper(engine, clock);
    const recorder = new ActivityRecorder();
    for (const [name, code] of Object.entries(options.replace ?? {})) {
      recorder.replace(name, code as ActivityCode<never, unknown>);
    }
    this.#engine = engine;
    this.#recorder = recorder;
    this.client = createClient({ engine: createSkippingPort(engine, skipper) });
    this.start = this.client.start.bind(this.client);
    this.clock = {
      now: () => clock.now(),
      advance: (byMs) => skipper.advanceTo(clock.now() + byMs),
      advanceTo: (at) => skipper.advanceTo(at),
    };
    this.#worker = createWorker({
      client: this.client,
      workflows: options.workflows,
      activities: (options.activities ?? []).map((definition) => recorder.record(definition)),
      logger: options.logger ?? silent,
      stopGraceMs: 0,
    });
  }

  /** @internal */
  async open(): Promise<void> {
    await this.#worker.start();
  }

  /** Replaces an activity's code from now on; `undefined` brings its own back. */
  replace<N extends A[number]["name"]>(
    name: N,
    code: ActivityCode<InputOf<Named<A, N>>, OutputOf<Named<A, N>>> | undefined,
  ): void {
    this.#recorder.replace(name, code);
  }

  /** The runs of an activity so far, replaced or not, in the order in which they began. */
  calls<N extends A[number]["name"]>(
    name: N,
  ): readonly ActivityCall<InputOf<Named<A, N>>, OutputOf<Named<A, N>>>[] {
    // The recorder keeps calls by name; the definition of that name vouches for their types.
    return this.#recorder.calls(name) as readonly ActivityCall<
      InputOf<Named<A, N>>,
      OutputOf<Named<A, N>>
    >[];
  }

  /** The committed history of an instance's present execution, oldest first. */
  history(instanceId: string): Promise<HistoryEvent[]> {
    return this.client.history(instanceId);
  }

  /** Resolves when no turn, activity or commit is under way; time stands still. */
  idle(): Promise<void> {
    return this.#engine.idle();
  }

  /** Ends the worker and the engine. May be called twice. */
  async close(): Promise<void> {
    await this.#worker.stop();
    await this.#engine.close();
  }
}

/** Makes a test environment. Close it at the end of the test. */
export async function createTestEnvironment<const A extends readonly AnyActivity[] = readonly []>(
  options: TestEnvironmentOptions<A>,
): Promise<TestEnvironment<A>> {
  const clock = new VirtualClock(options.startAt ?? Date.UTC(2030, 0, 1));
  // No commit waits for another: that wait would be one of virtual time, which stands still.
  const engine = await openEngine({ store: "memory", clock, commitWaitMs: 0 });
  const environment = new TestEnvironment(engine, clock, options);
  await environment.open();
  return environment;
}
