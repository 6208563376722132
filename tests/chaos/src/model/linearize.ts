// SPDX-License-Identifier: Apache-2.0

/** What one call did: an operation with its answer, and when it was called and answered. */
export interface Call<O> {
  readonly operation: O;
  /** Place in the order of all calls and answers. */
  readonly calledAt: number;
  /** Infinity: no answer came; it may have taken effect at any time since, or never. */
  readonly answeredAt: number;
}

/** How one thing may behave, in the smallest words. States are plain data: equal text, equal state. */
export interface Model<S, O> {
  readonly initial: S;
  /**
   * The states that an operation with this answer may leave, given also that a state may change by
   * itself before; none: it cannot have that answer.
   */
  apply(state: S, operation: O): readonly S[];
  /** True for an operation that never has an effect: a read, or one that was refused. */
  isPure(operation: O): boolean;
}

/** "yes": some order explains all answers. "no": none does. "unknown": too many to try. */
export type Verdict = "yes" | "no" | "unknown";

/** Orders that are tried at most. */
const mostNodes = 50_000;

/**
 * Looks for an order of calls, each at some moment between its call and its answer, in which every
 * answer is right (Wing and Gong 1993, with the memory of Lowe 2017). Calls without an answer may be
 * left out.
 */
export function linearize<S, O>(model: Model<S, O>, calls: readonly Call<O>[]): Verdict {
  const seen = new Set<string>();
  const open: { readonly done: bigint; readonly state: S }[] = [{ done: 0n, state: model.initial }];
  const needed = calls.reduce(
    (mask, call, index) => (Number.isFinite(call.answeredAt) ? mask | (1n << BigInt(index)) : mask),
    0n,
  );
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const { state } = node;
    const { done, next } = takePure(model, calls, node.done, state);
    if ((done & needed) === needed) return "yes";
    if (seen.size > mostNodes) return "unknown";
    for (const index of next) {
      const call = calls[index];
      if (call === undefined) continue;
      for (const to of model.apply(state, call.operation)) {
        const then = { done: done | (1n << BigInt(index)), state: to };
        const key = `${then.done.toString(36)} ${JSON.stringify(to)}`;
        if (seen.has(key)) continue;
        seen.add(key);
        open.push(then);
      }
    }
  }
  return "no";
}

/** Takes what is right as things are and changes nothing: to take it later would prove no more. */
function takePure<S, O>(
  model: Model<S, O>,
  calls: readonly Call<O>[],
  before: bigint,
  state: S,
): { done: bigint; next: number[] } {
  let done = before;
  for (;;) {
    const next = nextCalls(calls, done);
    const taken = next.filter((index) => {
      const operation = calls[index]?.operation;
      if (operation === undefined || !model.isPure(operation)) return false;
      return model.apply(state, operation).includes(state);
    });
    if (taken.length === 0) return { done, next };
    for (const index of taken) done |= 1n << BigInt(index);
  }
}

/** Calls that may come next: none was answered before it was called that is still to come. */
function nextCalls<O>(calls: readonly Call<O>[], done: bigint): number[] {
  let firstAnswer = Number.POSITIVE_INFINITY;
  const left: number[] = [];
  calls.forEach(({ answeredAt }, index) => {
    if ((done >> BigInt(index)) & 1n) return;
    left.push(index);
    firstAnswer = Math.min(firstAnswer, answeredAt);
  });
  return left.filter((index) => (calls[index]?.calledAt ?? 0) < firstAnswer);
}
