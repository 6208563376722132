// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import type { Scope } from "./actions.ts";
import { activityNameOf, ghostName, workflowNameOf } from "./names.ts";
import type { Pending, ReplayContext, Workflow } from "./replay.ts";

/** One step of a workflow. Workflows are data: their input says what they do. */
export type Step =
  /** One activity; it fails so many times before it succeeds, and is tried again after pauses. */
  | {
      readonly do: "activity";
      readonly key: string;
      readonly failures: number;
      readonly given?: Scope | undefined;
    }
  /** Activities side by side. */
  | { readonly do: "fan"; readonly keys: readonly string[] }
  /** An activity whose result nobody waits for. */
  | { readonly do: "loose"; readonly key: string }
  /** An activity that no worker has: it fails. */
  | { readonly do: "ghost"; readonly key: string }
  /** One activity, or two where newer code ran here first. */
  | { readonly do: "patch"; readonly key: string }
  /** One of two activities: that of the version that began. */
  | { readonly do: "version"; readonly key: string }
  /** An activity whose result is over the limit: it fails. */
  | { readonly do: "large"; readonly key: string }
  /** Asks for an activity with an input that is over the limit: that fails the workflow. */
  | { readonly do: "askLarge" }
  /** So many timers at once, which nobody waits for. */
  | { readonly do: "grow"; readonly timers: number }
  | { readonly do: "nap"; readonly ms: number }
  /** Waits for an event, for so long at most. */
  | { readonly do: "wait"; readonly event: string; readonly ms: number }
  /** Children side by side, waited for; an empty id leaves the choice to the engine. */
  | { readonly do: "children"; readonly children: readonly Child[] }
  /** Children that nobody waits for. */
  | { readonly do: "leave"; readonly children: readonly Child[] }
  | { readonly do: "detach"; readonly id: string; readonly program: Program }
  | { readonly do: "send"; readonly id: string; readonly event: string; readonly text: string }
  | { readonly do: "kill"; readonly id: string }
  /** Goes on as new with the steps that are left. */
  | { readonly do: "renew" }
  | { readonly do: "status"; readonly text: string }
  | { readonly do: "fail" }
  /** Takes events "go" until one says "end"; goes on as new after each so many of them (0: never). */
  | { readonly do: "collect"; readonly renewAfter: number };

/** A child of a workflow. */
export interface Child {
  readonly id: string;
  readonly program: Program;
  readonly given?: Scope | undefined;
}

/** The steps of a workflow, in order. */
export type Program = readonly Step[];

/** What an instance of a program is given. */
export interface ProgramInput {
  readonly steps: Program;
  /** What the executions before came to. */
  readonly log: readonly string[];
  /** What it is given of the histories above it. */
  readonly given?: Scope | undefined;
  /** The execution before went on as this one. */
  readonly isRenewed?: boolean;
}

/** The event that `collect` waits for. */
export const collectEvent = "go";
/** The input of that event which ends `collect`. */
export const endText = "~end~";

/** A payload that is over the limit. */
export const tooLarge = Buffer.alloc(limits.payloadBytes + 1, "x").toString("latin1");

/** The input of a program's instance. */
export function inputOf(steps: Program, given?: Scope): string {
  const input: ProgramInput = { steps, log: [], given };
  return JSON.stringify(input);
}

/** The input of the next execution. */
function renewedInput(context: ReplayContext, steps: Program, log: readonly string[]): string {
  const { given }: ProgramInput = JSON.parse(context.input);
  const input: ProgramInput = { steps, log, given, isRenewed: true };
  return JSON.stringify(input);
}

/** What an activity is asked. */
export interface ActivityInput {
  /** Names this call, in text that nothing else has. */
  readonly token: string;
  readonly fails: boolean;
  /** Its result is over the limit. */
  readonly isLarge?: boolean;
  /** What it is given of the histories above it. */
  readonly given?: Scope | undefined;
}

/** The result of an activity: a function of its input. */
export function activityOutput(token: string): string {
  return token.replaceAll("~", "!");
}

/** Text that names one call of an activity. */
function callToken(key: string, attempt: number): string {
  return `~${key}#${attempt}~`;
}

/** Carries a program out; the output is what its steps came to, as JSON text. */
export const runProgram: Workflow = function* (context) {
  const { steps, log: before }: ProgramInput = JSON.parse(context.input);
  const log = [...before];
  for (const [index, step] of steps.entries()) {
    if (step.do === "renew") {
      return context.continueAsNew(renewedInput(context, steps.slice(index + 1), log));
    }
    if (step.do === "collect") yield* collect(context, steps.slice(index), step.renewAfter, log);
    else yield* runStep(context, step, log);
  }
  return JSON.stringify(log);
};

type StepRun = ReturnType<Workflow>;

function* collect(
  context: ReplayContext,
  rest: Program,
  renewAfter: number,
  log: string[],
): Generator<Pending[], void, string[]> {
  for (let taken = 0; renewAfter === 0 || taken < renewAfter; taken += 1) {
    const [text = ""] = yield [context.event(collectEvent)];
    if (text === endText) return;
    log.push(text);
    context.customStatus = JSON.stringify(log);
  }
  context.continueAsNew(renewedInput(context, rest, log));
}

function* runStep(context: ReplayContext, step: Step, log: string[]): StepRun {
  switch (step.do) {
    case "activity":
      log.push(yield* runActivity(context, step));
      break;
    case "fan":
      log.push(...(yield step.keys.map((key) => ask(context, callToken(key, 0), false))));
      break;
    case "loose":
      ask(context, callToken(step.key, 0), false);
      break;
    case "ghost":
      log.push(
        yield* runFailing(context, step.do, {
          name: ghostName,
          input: { token: callToken(step.key, 0), fails: false },
        }),
      );
      break;
    case "large": {
      const token = callToken(step.key, 0);
      const input = { token, fails: false, isLarge: true };
      log.push(yield* runFailing(context, step.do, { name: activityNameOf(token), input }));
      break;
    }
    case "askLarge":
      context.activity({ name: activityNameOf(callToken(step.do, 0)), input: tooLarge });
      break;
    case "grow":
      for (let at = 0; at < step.timers; at += 1) context.timer(context.now + farMs + at);
      break;
    case "patch":
      yield waysOf(context, step.key).map((key) => ask(context, callToken(key, 0), false));
      log.push(step.do);
      break;
    case "version":
      yield [ask(context, callToken(`${step.key}${context.versioned()}`, 0), false)];
      log.push(step.do);
      break;
    case "nap":
      yield [context.timer(context.now + step.ms)];
      break;
    case "wait":
      log.push(yield* waitFor(context, step.event, step.ms));
      break;
    case "children":
      log.push(...(yield* runChildren(context, step.children)));
      break;
    case "leave":
      askChildren(context, step.children);
      break;
    case "detach":
      context.detached(workflowNameOf(step.program), step.id, inputOf(step.program));
      break;
    case "send":
      context.sendEvent(step.id, step.event, step.text);
      break;
    case "kill":
      context.terminate(step.id);
      break;
    case "status":
      context.customStatus = step.text;
      break;
    default:
      throw new Error("as asked");
  }
  return undefined;
}

/** What a patch asks for: newer code takes another number of steps. */
function waysOf(context: ReplayContext, key: string): string[] {
  return context.patched(key) ? [`${key}a`, `${key}b`] : [key];
}

function ask(context: ReplayContext, token: string, fails: boolean, scope?: Scope): Pending {
  const input: ActivityInput = { token, fails, given: scope };
  return context.activity({ name: activityNameOf(token), input: JSON.stringify(input), scope });
}

function askChildren(context: ReplayContext, children: readonly Child[]): Pending[] {
  return children.map(({ id, program, given }) =>
    context.child(id, {
      name: workflowNameOf(program),
      input: inputOf(program, given),
      scope: given,
    }),
  );
}

/** Later than any run lasts. */
const farMs = 1e9;

/** An activity that fails, whoever runs it: that is noted as what it is. */
function* runFailing(
  context: ReplayContext,
  what: string,
  { name, input }: { readonly name: string; readonly input: ActivityInput },
): Generator<Pending[], string, string[]> {
  try {
    yield [context.activity({ name, input: JSON.stringify(input) })];
    return "somebody";
  } catch {
    return what;
  }
}

function* runActivity(
  context: ReplayContext,
  { key, failures, given }: Extract<Step, { do: "activity" }>,
): Generator<Pending[], string, string[]> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const [output = ""] = yield [
        ask(context, callToken(key, attempt), attempt < failures, given),
      ];
      return output;
    } catch (error) {
      if (attempt >= failures) throw error;
      yield [context.timer(context.now + 50 * 2 ** attempt)];
    }
  }
}

function* waitFor(
  context: ReplayContext,
  event: string,
  ms: number,
): Generator<Pending[] | { any: Pending[] }, string, string[]> {
  const wait = context.event(event);
  if (wait.result !== undefined) return (yield [wait])[0] ?? "";
  const limit = context.timer(context.now + ms, event);
  yield { any: [wait, limit] };
  if (wait.result !== undefined) return (yield [wait])[0] ?? "";
  context.stopWaiting(event, wait);
  return "late";
}

/** A child that fails is noted; it does not end its parent. */
function* runChildren(
  context: ReplayContext,
  children: readonly Child[],
): Generator<Pending[], string[], string[]> {
  const asked = askChildren(context, children);
  const outputs: string[] = [];
  for (const child of asked) {
    try {
      outputs.push(...(yield [child]));
    } catch (error) {
      outputs.push(`failed: ${error instanceof Error ? error.message : ""}`);
    }
  }
  return outputs;
}

/** Steps that are noted as what they are. */
const notedSteps: ReadonlySet<string> = new Set(["ghost", "large", "patch", "version"]);

/** The output of a program that nothing from outside has a say in; undefined: something has. */
export function expectedOutput(program: Program): string | undefined {
  const log: string[] = [];
  for (const step of program) {
    if (step.do === "activity") log.push(activityOutput(callToken(step.key, step.failures)));
    else if (step.do === "fan") log.push(...step.keys.map((k) => activityOutput(callToken(k, 0))));
    else if (step.do === "children") {
      for (const { id, program: inner } of step.children) {
        const output = id === "" ? expectedOutput(inner) : undefined;
        if (output === undefined) return undefined;
        log.push(output);
      }
    } else if (notedSteps.has(step.do)) {
      log.push(step.do);
    } else if (step.do === "wait" || step.do === "collect" || step.do === "fail") return undefined;
  }
  return JSON.stringify(log);
}
