// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import type { TaskName } from "../load/activity-log.ts";
import { accumulate, race } from "../load/definitions.ts";
import type { Entry, SeenEnd } from "../load/ledger.ts";
import type { ChildFact, HistoryFacts } from "./history-facts.ts";
import { checkEnd, checkItems } from "./result.ts";
import { brief, type Violation } from "./violation.ts";

/** One instance as it is when all is over. */
export interface Observed {
  readonly instanceId: string;
  readonly workflow: string;
  readonly status: string;
  readonly input: unknown;
  readonly output: unknown;
  readonly executionId: string;
  readonly generation: number;
  readonly historyLength: number;
  readonly completedAt?: number;
  readonly facts: HistoryFacts;
}

/** What the callers know. */
export interface Known {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly ends: readonly SeenEnd[];
  readonly wrongAnswers: readonly string[];
  /** True when the activity of a task was run. */
  hasRun(task: TaskName): boolean;
}

/** What is there when all is over. */
export interface Found {
  readonly instances: ReadonlyMap<string, Observed>;
  /** Ids as a list of all instances has them. */
  readonly listed: readonly string[];
  /** Ids as lists by status have them. */
  readonly listedByStatus: ReadonlyMap<string, readonly string[]>;
}

/**
 * Checks that what is there agrees with itself: instances with their histories, lists, parents and children.
 * A child that is missing has to have been purged.
 */
export function checkAgreement(
  found: Found,
  isPurged: (instanceId: string) => boolean,
): Violation[] {
  return [
    ...checkLists(found),
    ...[...found.instances.values()].flatMap((instance) => [
      ...checkFacts(instance),
      ...instance.facts.children.flatMap((child) => {
        const is = found.instances.get(child.instanceId);
        if (is !== undefined) return checkChild(instance, child, is);
        return isPurged(child.instanceId) ? [] : missing(instance, child);
      }),
    ]),
  ];
}

/** Checks what is there against what was acknowledged. */
export function check(known: Known, found: Found): Violation[] {
  return [
    ...known.wrongAnswers.map((answer) => ({ rule: "calls are answered rightly", found: answer })),
    ...known.ends.flatMap((end) => checkEnd(end.entry, end)),
    ...checkPresence(known.entries, found.instances),
    ...checkAgreement(found, (id) => known.entries.get(id)?.purge !== "no"),
    ...checkEndsKept(known, found.instances),
    ...[...found.instances.values()].flatMap((instance) => {
      const entry = known.entries.get(instance.instanceId);
      return entry === undefined ? [] : checkInstance(entry, instance, known);
    }),
  ];
}

/** What was acknowledged is there; what was purged is gone; nothing else is there. */
function checkPresence(
  entries: ReadonlyMap<string, Entry>,
  instances: ReadonlyMap<string, Observed>,
): Violation[] {
  const found: Violation[] = [];
  for (const { instanceId, start, purge } of entries.values()) {
    const isThere = instances.has(instanceId);
    if (!isThere && start === "acknowledged" && purge === "no") {
      found.push({ rule: "an acknowledged start is there", instanceId, found: "it is missing" });
    }
    if (isThere && purge === "acknowledged") {
      found.push({ rule: "an acknowledged purge deletes", instanceId, found: "it is still there" });
    }
  }
  for (const instanceId of instances.keys()) {
    if (entries.has(instanceId)) continue;
    found.push({ rule: "nothing is there that nobody started", instanceId, found: "it is there" });
  }
  return found;
}

/** The lists agree with what can be read one by one. */
function checkLists({ instances, listed, listedByStatus }: Found): Violation[] {
  const byStatus = [...listedByStatus].flatMap(([status, ids]) => {
    const wanted = [...instances.values()].filter((instance) => instance.status === status);
    const there = wanted.map(({ instanceId }) => instanceId);
    return compareIds(`the list of ${status} instances is exact`, ids, there);
  });
  return [...compareIds("the list is exact", listed, [...instances.keys()]), ...byStatus];
}

function compareIds(rule: string, listed: readonly string[], wanted: readonly string[]) {
  const found: Violation[] = [];
  const seen = new Set<string>();
  for (const instanceId of listed) {
    if (seen.has(instanceId)) found.push({ rule, instanceId, found: "it is listed twice" });
    seen.add(instanceId);
  }
  const there = new Set(wanted);
  for (const instanceId of seen) {
    if (!there.has(instanceId)) found.push({ rule, instanceId, found: "it should not be listed" });
  }
  for (const instanceId of there) {
    if (!seen.has(instanceId)) found.push({ rule, instanceId, found: "it is not listed" });
  }
  return found;
}

/** An end that a caller was told of stays as it was. */
function checkEndsKept(known: Known, instances: ReadonlyMap<string, Observed>): Violation[] {
  return known.ends.flatMap(({ entry, status, output, executionId, completedAt }) => {
    const { instanceId } = entry;
    // The id may have been purged, or started anew, since.
    if (known.entries.get(instanceId) !== entry || entry.purge !== "no") return [];
    const now = instances.get(instanceId);
    const then = { status, output, executionId, completedAt };
    const kept = now && pick(now);
    if (isDeepStrictEqual(kept, then)) return [];
    const changed = `${brief(then)} became ${brief(kept)}`;
    return [{ rule: "an ended instance never changes", instanceId, found: changed }];
  });
}

function pick({ status, output, executionId, completedAt }: Observed) {
  return { status, output, executionId, completedAt };
}

function checkInstance(entry: Entry, instance: Observed, known: Known): Violation[] {
  return [
    ...checkEnd(entry, instance),
    ...checkAsked(entry, instance),
    ...checkRaised(entry, instance),
    ...checkRuns(instance, known),
  ];
}

/** The instance and its history say the same, and the history can be true. */
function checkFacts(instance: Observed): Violation[] {
  const { instanceId, facts } = instance;
  const found = facts.faults.map((fault) => {
    return { rule: "the history makes sense", instanceId, found: fault };
  });
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ["status", instance.status, facts.end?.status],
    ["output", JSON.stringify(instance.output), facts.end?.output],
    ["execution", instance.executionId, facts.executionId],
    ["workflow", instance.workflow, facts.workflow],
    ["length", instance.historyLength, facts.eventCount],
  ];
  return [...found, ...pairs.flatMap((pair) => checkPair(instanceId, ...pair))];
}

function checkPair(instanceId: string, what: string, has: unknown, history: unknown): Violation[] {
  if (has === history) return [];
  const found = `${what} ${brief(has)} but its history has ${brief(history)}`;
  return [{ rule: "the instance is what its history says", instanceId, found }];
}

/** Workflows whose later executions have inputs of their own. */
const continued: ReadonlySet<string> = new Set([accumulate.name, race.name]);

/** It is the workflow that was asked for, with the input that was given. */
function checkAsked(entry: Entry, { instanceId, facts }: Observed): Violation[] {
  const found = checkPair(instanceId, "asked workflow", entry.workflow, facts.workflow);
  if (continued.has(entry.workflow) || facts.input === entry.input) return found;
  const differs = `${brief(facts.input)} in place of ${brief(entry.input)}`;
  return [...found, { rule: "the input is the one given", instanceId, found: differs }];
}

/** The events of a terminated instance, which has no list of them as its output. */
function checkRaised(entry: Entry, { instanceId, status, generation, facts }: Observed) {
  if (entry.expected.kind !== "items" || status === "completed" || generation > 1) return [];
  const taken: unknown[] = facts.raised.map((text) => JSON.parse(text ?? "null"));
  return checkItems(instanceId, entry.expected.senders, taken);
}

/** A task that has a result was run. */
function checkRuns({ instanceId, executionId, facts }: Observed, known: Known): Violation[] {
  return facts.finishedTasks
    .filter((taskId) => !known.hasRun({ instanceId, executionId, taskId }))
    .map((taskId) => {
      const what = `task ${taskId} has a result and was not run`;
      return { rule: "an activity runs at least once", instanceId, found: what };
    });
}

/** Parent and child agree. */
const agree = "parent and child agree";

function missing({ instanceId: parentId }: Observed, { instanceId }: ChildFact): Violation[] {
  return [{ rule: agree, instanceId, found: `"${parentId}" has started it and it is not there` }];
}

function checkChild(
  { instanceId: parentId }: Observed,
  { instanceId, taskId, result }: ChildFact,
  child: Observed,
): Violation[] {
  const { parent, end } = child.facts;
  if (parent?.instanceId !== parentId || parent.taskId !== taskId) {
    const found = `its parent is ${brief(parent)} in place of task ${taskId} of "${parentId}"`;
    return [{ rule: agree, instanceId, found }];
  }
  if (result === undefined) return [];
  const told = result === "failed" ? "failed" : `completed ${result.output}`;
  const was = end?.status === "completed" ? `completed ${end.output}` : "failed";
  if (told === was) return [];
  return [{ rule: agree, instanceId, found: `it ${was}; its parent has: ${told}` }];
}
