// SPDX-License-Identifier: Apache-2.0

import type {
  ActivityContext,
  ActivityDefinition,
  AnyActivity,
  InputOf,
  OutputOf,
} from "@pawl/client";

/** One run of an activity, as the test sees it. */
export interface ActivityCall<I, O> {
  readonly instanceId: string;
  readonly taskId: number;
  /** The same for every attempt of one call. */
  readonly taskExecutionId: string;
  readonly input: I;
  /** Set when it returned. */
  readonly output?: O;
  /** Set when it threw. */
  readonly error?: unknown;
}

/** The code of an activity. */
export type ActivityCode<I, O> = (input: I, context: ActivityContext) => Promise<O> | O;

/** Code to run instead of an activity's own, by the activity's name. */
export type Replacements<A extends readonly AnyActivity[]> = {
  readonly [D in A[number] as D["name"]]?: ActivityCode<InputOf<D>, OutputOf<D>>;
};

type AnyCall = {
  -readonly [K in keyof ActivityCall<unknown, unknown>]: ActivityCall<unknown, unknown>[K];
};
type AnyCode = ActivityCode<never, unknown>;

/** Runs activities, or what replaces them, and writes down every call. */
export class ActivityRecorder {
  readonly #calls = new Map<string, AnyCall[]>();
  readonly #replacements = new Map<string, AnyCode>();

  /** Replaces an activity's code from now on; `undefined` brings its own back. */
  replace(name: string, code: AnyCode | undefined): void {
    if (code === undefined) this.#replacements.delete(name);
    else this.#replacements.set(name, code);
  }

  /** The calls of an activity, in the order in which they began. */
  calls(name: string): readonly ActivityCall<unknown, unknown>[] {
    return this.#calls.get(name) ?? [];
  }

  /** An activity of the same name that goes through this recorder. */
  record(definition: AnyActivity): AnyActivity {
    const run = (input: never, context: ActivityContext): Promise<unknown> =>
      this.#run(this.#replacements.get(definition.name) ?? definition.run, input, context);
    const recorded: ActivityDefinition<never, unknown> = { ...definition, run };
    return recorded;
  }

  async #run(code: AnyCode, input: never, context: ActivityContext): Promise<unknown> {
    const { instanceId, taskId, taskExecutionId, activity } = context;
    const call: AnyCall = { instanceId, taskId, taskExecutionId, input };
    this.#calls.set(activity, [...this.calls(activity), call]);
    try {
      const output = await code(input, context);
      call.output = output;
      return output;
    } catch (error) {
      call.error = error;
      throw error;
    }
  }
}
