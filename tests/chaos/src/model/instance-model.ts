// SPDX-License-Identifier: Apache-2.0

import { endText } from "../simulation/workflow/program.ts";
import type { Model } from "./linearize.ts";

/** What a reader sees of an instance; undefined: there is none. */
export type Seen =
  | {
      readonly executionId: string;
      readonly status: string;
      /** Its custom status: the events that it has taken, as JSON text. */
      readonly taken: string | undefined;
      readonly output: string | undefined;
    }
  | undefined;

/** A call on an instance of the program `collect`. `answer` "?": none came. */
export type Operation =
  | {
      readonly verb: "start";
      readonly executionId: string;
      readonly answer: "ok" | "?" | "INSTANCE_EXISTS";
    }
  | {
      readonly verb: "raise" | "suspend" | "resume" | "terminate";
      /** The payload; of a terminate: the output. */
      readonly text: string;
      readonly answer: "ok" | "?" | "INSTANCE_NOT_FOUND";
    }
  | {
      readonly verb: "purge";
      readonly answer: "ok" | "?" | "INSTANCE_NOT_FOUND" | "INSTANCE_NOT_ENDED";
    }
  | { readonly verb: "read"; readonly seen: Seen };

/** A command that was accepted and that no turn has taken: event, suspend, resume, terminate. */
type Pending = readonly ["e" | "s" | "r" | "t", string];

/** An instance in the model. */
interface OpenState {
  readonly executionId: string;
  readonly end: "" | "completed" | "terminated";
  readonly output: string | undefined;
  /** The first turn has run. */
  readonly began: boolean;
  readonly suspended: boolean;
  readonly taken: readonly string[];
  /** Events that came while it was suspended. */
  readonly held: readonly string[];
  readonly pending: readonly Pending[];
}

/** "": there is no instance. */
export type InstanceModelState = OpenState | "";

/**
 * One instance of `collect` as its callers may see it. Commands are accepted at once and take effect
 * with a turn, which comes by itself and takes them in order.
 */
export const instanceModel: Model<InstanceModelState, Operation> = {
  initial: "",
  apply: (state, operation) => {
    if (operation.verb === "read") {
      return drift(state).filter((next) => isSeen(next, operation.seen));
    }
    // What a turn takes before a command it may as well take after it, unless it ends the instance.
    return [state, ...drift(state).filter((next) => next !== state && isEnded(next))].flatMap(
      (from) => applyCommand(from, operation),
    );
  },
  isPure: (operation) =>
    operation.verb === "read" || (operation.answer !== "ok" && operation.answer !== "?"),
};

function isEnded(state: InstanceModelState): boolean {
  return state !== "" && state.end !== "";
}

function applyCommand(
  state: InstanceModelState,
  operation: Exclude<Operation, { verb: "read" }>,
): readonly InstanceModelState[] {
  switch (operation.verb) {
    case "start":
      return applyStart(state, operation.executionId, operation.answer);
    case "purge":
      return applyPurge(state, operation.answer);
    default: {
      if (state === "") return operation.answer === "ok" ? [] : [state];
      if (operation.answer === "INSTANCE_NOT_FOUND") return [];
      if (state.end !== "") return [state];
      const kind = pendingKinds[operation.verb];
      return [{ ...state, pending: [...state.pending, [kind, operation.text]] }];
    }
  }
}

/** States that may follow by themselves, the state itself among them. */
function drift(state: InstanceModelState): InstanceModelState[] {
  if (state === "" || state.end !== "") return [state];
  const states: InstanceModelState[] = [state, ...terminatedNow(state)];
  // A turn takes some of what is there, at least the start.
  for (let count = state.began ? 1 : 0; count <= state.pending.length; count += 1) {
    const next = turn(state, count);
    states.push(next);
    if (next.end === "") states.push(...terminatedNow(next));
  }
  return states;
}

const pendingKinds = { raise: "e", suspend: "s", resume: "r", terminate: "t" } as const;

function applyStart(
  state: InstanceModelState,
  executionId: string,
  answer: string,
): InstanceModelState[] {
  const isTaken = state !== "" && state.end === "";
  if (answer === "INSTANCE_EXISTS") return isTaken ? [state] : [];
  if (isTaken) return answer === "?" ? [state] : [];
  const fresh = { end: "", output: undefined, began: false, suspended: false } as const;
  return [{ ...fresh, executionId, taken: [], held: [], pending: [] }];
}

function applyPurge(state: InstanceModelState, answer: string): InstanceModelState[] {
  if (answer === "INSTANCE_NOT_FOUND") return state === "" ? [state] : [];
  if (answer === "INSTANCE_NOT_ENDED") return state !== "" && state.end === "" ? [state] : [];
  if (state !== "" && state.end !== "") return [""];
  return answer === "?" ? [state] : [];
}

/** What the worker makes of the start and of the first so many commands. */
function turn(state: OpenState, count: number): OpenState {
  const taken = [...state.taken];
  let held = [...state.held];
  let { suspended, end, output } = state;
  const take = (text: string): void => {
    if (end !== "") return;
    if (suspended) held.push(text);
    else if (text !== endText) taken.push(text);
    else {
      end = "completed";
      output = JSON.stringify(taken);
    }
  };
  for (const [kind, text] of state.pending.slice(0, count)) {
    if (kind === "e") take(text);
    else if (kind === "s") suspended = true;
    else if (kind === "r") {
      suspended = false;
      const released = held;
      held = [];
      for (const event of released) take(event);
    } else if (end === "") {
      end = "terminated";
      output = text;
    }
  }
  const pending = end === "" ? state.pending.slice(count) : [];
  return { ...state, began: true, taken, held, suspended, end, output, pending };
}

/** An end without a turn of a worker: what came before it is not looked at. */
function terminatedNow(state: OpenState): OpenState[] {
  const terminate = state.pending.find(([kind]) => kind === "t");
  if (terminate === undefined) return [];
  return [{ ...state, end: "terminated", output: terminate[1], pending: [] }];
}

function isSeen(state: InstanceModelState, seen: Seen): boolean {
  if (state === "" || seen === undefined) return state === "" && seen === undefined;
  if (state.executionId !== seen.executionId) return false;
  const isOpen = state.began ? (state.suspended ? "suspended" : "running") : "pending";
  const status = state.end === "" ? isOpen : state.end;
  if (status !== seen.status || state.output !== seen.output) return false;
  const taken = state.taken.length === 0 ? undefined : JSON.stringify(state.taken);
  return taken === seen.taken;
}
