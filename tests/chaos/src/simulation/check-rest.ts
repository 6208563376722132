// SPDX-License-Identifier: Apache-2.0

import type { Engine, Instance, InstanceFilter } from "@pawl/engine";
import { type KeyRange, problemsOf } from "@pawl/engine/testing";
import { fromTimestamp, type HistoryEvent } from "@pawl/protocol";
import type { ActivityRuns } from "./activity-runs.ts";
import { type Caller, lotTag } from "./caller.ts";
import { forgedToken, unregisteredType } from "./worker.ts";
import { ghostName, isRerunId } from "./workflow/names.ts";
import { runProgram } from "./workflow/program.ts";
import { Replay } from "./workflow/replay.ts";
import type { World } from "./world/world.ts";

/** An instance and its history when all is at rest. */
interface Seen {
  readonly instance: Instance;
  readonly history: readonly HistoryEvent[];
}

/** Problems of what is on disk at the moment: "changed": of instances written since the last look. */
export async function checkStore(
  world: World,
  look: "all" | "changed",
  messages: boolean,
): Promise<void> {
  const { entries, faults } = world.disk;
  const reader = {
    get: async (key: Uint8Array) => entries.get(key),
    range: async (range: KeyRange) => entries.range(range),
  };
  const changed = world.disk.takeChanged();
  const expected = look === "all" ? { messages } : { messages, changed };
  // What cannot be read at all is a finding as well, and no end of the run: it has to name its seed.
  const unreadable = (error: unknown): string[] => [String(error)];
  const problems = await problemsOf(reader, world.clock.now(), expected).catch(unreadable);
  for (const problem of problems) world.violation("the store is legal", problem);
  for (const fault of faults) world.violation("messages take effect once", fault);
}

/** Checks everything that must be so when nothing goes on any more; returns what there is. */
export async function checkRest(
  world: World,
  engine: Engine,
  caller: Caller,
  runs: ActivityRuns,
): Promise<ReadonlyMap<string, Seen>> {
  await checkStore(world, "changed", false);
  if (!engine.isReady()) world.violation("health is true", "not ready at rest");
  if (world.disk.hasToken(forgedToken)) {
    world.violation("a stale or forged result changes nothing", forgedToken);
  }
  const seen = new Map<string, Seen>();
  for (const id of world.disk.ids()) {
    const instance = await engine.get(id);
    if (instance === undefined) continue;
    seen.set(id, { instance, history: await engine.history(id) });
  }
  await checkLists(world, engine, seen);
  for (const one of seen.values()) {
    checkHistory(world, one, isRerunId(one.instance.instanceId) ? undefined : runs);
    checkReason(world, one, seen, caller);
    checkChildren(world, one, seen, caller);
    checkTags(world, one.instance, caller);
    await checkExplained(world, engine, one, seen);
    const { instanceId, parentInstanceId = "", completedAt } = one.instance;
    if (caller.endedTrees.has(parentInstanceId) && completedAt === undefined) {
      world.violation("a recursive terminate ends all below", instanceId);
    }
  }
  checkEnds(world, caller, seen);
  for (const id of caller.purged) {
    if (seen.has(id)) world.violation("a recursive purge leaves nothing below", id);
  }
  world.handedOn?.checkRest();
  return seen;
}

async function checkLists(
  world: World,
  engine: Engine,
  seen: ReadonlyMap<string, Seen>,
): Promise<void> {
  const all = [...seen.values()].map(({ instance }) => instance);
  await checkList(world, engine, {}, all);
  const [some] = all;
  if (some !== undefined) {
    const { status, workflow } = some;
    const alike = all.filter((one) => one.status === status && one.workflow === workflow);
    await checkList(world, engine, { statuses: [status], workflow }, alike);
  }
  for (const value of new Set(all.flatMap(({ tags }) => tags[lotTag] ?? []))) {
    const tagged = all.filter(({ tags }) => tags[lotTag] === value);
    await checkList(world, engine, { tags: { [lotTag]: value } }, tagged);
  }
}

async function checkList(
  world: World,
  engine: Engine,
  filter: InstanceFilter,
  expected: readonly Instance[],
): Promise<void> {
  const listed: string[] = [];
  let pageToken: string | undefined;
  do {
    const query = { ...filter, pageSize: 7, payloads: false };
    const page = await engine.list(pageToken === undefined ? query : { ...query, pageToken });
    listed.push(...page.instances.map(({ instanceId }) => instanceId));
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  const wanted = expected.map(({ instanceId }) => instanceId).sort();
  if (listed.sort().join() === wanted.join()) return;
  const what = JSON.stringify(filter);
  world.violation("lists are exact", `${what}: ${listed.join()} in place of ${wanted.join()}`);
}

/** Each task, timer and child once; no timer early; the code would ask for the same again. */
function checkHistory(
  world: World,
  { instance, history }: Seen,
  runs: ActivityRuns | undefined,
): void {
  const { instanceId, executionId, status } = instance;
  const note = (rule: string, found: string): void =>
    world.violation(rule, `${instanceId}: ${found}`);
  if (history.length !== instance.historyLength) note("histories are whole", `${history.length}`);
  const kinds = history.map((event) => event.eventType.case);
  const count = (kind: string): number => kinds.filter((other) => other === kind).length;
  const isEnded = instance.completedAt !== undefined;
  if (count("executionStarted") > 1) note("one start", `${count("executionStarted")}`);
  if (count("executionCompleted") !== (isEnded ? 1 : 0)) note("one end", kinds.join());
  checkStartAt(world, instanceId, history);
  for (const { eventType, timestamp } of history) {
    if (eventType.case === "timerFired") {
      const { fireAt } = eventType.value;
      const firedAt = timestamp === undefined ? 0 : fromTimestamp(timestamp);
      const isEarly = fireAt !== undefined && firedAt < fromTimestamp(fireAt);
      // One that fires while the clock is set back has an earlier instant.
      if (isEarly && !world.clock.wentBack) {
        note("no timer fires early", `timer ${eventType.value.timerId}`);
      }
    } else if (eventType.case === "taskCompleted") {
      const { taskScheduledId } = eventType.value;
      if (runs?.hasRun(executionId, taskScheduledId) === false)
        note("a result has a run", `${taskScheduledId}`);
    }
  }
  checkRefusals(world, instanceId, history);
  checkStalls(history, note);
  if (status === "terminated") return;
  const { holdsBack } = world.settings;
  const replay = new Replay(runProgram, { isRerun: isRerunId(instanceId), holdsBack });
  for (const event of history) replay.take(event);
  const { customStatus } = replay.result();
  if (instance.customStatus !== customStatus) {
    note("the custom status is the newest turn's", `${instance.customStatus} for ${customStatus}`);
  }
  if (!isEnded) replay.endPast();
  if (replay.divergence !== undefined) note("a replay fits its history", replay.divergence);
}

/** The same stall is written once in a row. */
function checkStalls(
  history: readonly HistoryEvent[],
  note: (rule: string, found: string) => void,
): void {
  history.forEach(({ eventType }, at) => {
    const before = history[at - 1]?.eventType;
    if (eventType.case !== "executionStalled" || before?.case !== "executionStalled") return;
    const { description } = eventType.value;
    if (before.value.description !== description) return;
    note("a stall is written once", description ?? "");
  });
}

/** What a worker has, for all workers say so, fails nowhere for not being registered. */
function checkRefusals(world: World, instanceId: string, history: readonly HistoryEvent[]): void {
  const ghosts = new Set<number>();
  for (const { eventId, eventType } of history) {
    if (eventType.case === "taskScheduled" && eventType.value.name === ghostName) {
      ghosts.add(eventId);
    }
    const isTask = eventType.case === "taskFailed";
    if (!isTask && eventType.case !== "executionCompleted") continue;
    if (eventType.value.failureDetails?.errorType !== unregisteredType) continue;
    if (isTask && ghosts.has(eventType.value.taskScheduledId)) continue;
    const { errorMessage } = eventType.value.failureDetails;
    world.violation("a refusal counts where nobody has it", `${instanceId}: ${errorMessage}`);
  }
}

/** The first turn does not come before the instant that the start names. */
function checkStartAt(world: World, instanceId: string, history: readonly HistoryEvent[]): void {
  const [first] = history;
  const started = history.find(({ eventType }) => eventType.case === "executionStarted");
  if (first?.timestamp === undefined || started?.eventType.case !== "executionStarted") return;
  const startAt = started.eventType.value.scheduledStartTimestamp;
  if (startAt === undefined || world.clock.wentBack) return;
  if (fromTimestamp(first.timestamp) >= fromTimestamp(startAt)) return;
  // One that is ended before it began has no turn of a worker.
  if (history.some(({ eventType }) => eventType.case === "executionTerminated")) return;
  world.violation("no delayed start comes early", instanceId);
}

/** What has not ended waits for something that can still come. */
function checkReason(
  world: World,
  { instance, history }: Seen,
  seen: ReadonlyMap<string, Seen>,
  caller: Caller,
): void {
  const { instanceId, status, completedAt } = instance;
  if (status === "stalled") world.violation("a stall ends when a worker can go on", instanceId);
  if (completedAt !== undefined || status === "suspended") return;
  const replay = new Replay(runProgram);
  for (const event of history) replay.take(event);
  const waits = replay.waitsFor();
  const children = childrenOf(history);
  const hasReason = waits.some(({ kind, id }) => {
    if (kind === "event") return true;
    if (kind !== "child") return false;
    const childId = children.get(id) ?? "";
    const child = seen.get(childId)?.instance;
    return (child !== undefined && child.completedAt === undefined) || caller.meddled.has(childId);
  });
  if (hasReason) return;
  const found = `${instanceId} is ${status} and waits for ${JSON.stringify(waits)}`;
  world.violation("what has not ended has a reason to wake", found);
}

function childrenOf(history: readonly HistoryEvent[]): Map<number, string> {
  const children = new Map<number, string>();
  for (const { eventId, eventType } of history) {
    if (eventType.case === "childWorkflowInstanceCreated") {
      children.set(eventId, eventType.value.instanceId);
    }
  }
  return children;
}

/** What a parent was told of its child is what the child came to. */
function checkChildren(
  world: World,
  { instance, history }: Seen,
  seen: ReadonlyMap<string, Seen>,
  caller: Caller,
): void {
  const children = childrenOf(history);
  for (const { eventType } of history) {
    const isFailed = eventType.case === "childWorkflowInstanceFailed";
    if (!isFailed && eventType.case !== "childWorkflowInstanceCompleted") continue;
    const childId = children.get(eventType.value.taskScheduledId) ?? "";
    const child = seen.get(childId)?.instance;
    const isOnlyOne = [...children.values()].filter((id) => id === childId).length === 1;
    if (caller.meddled.has(childId) || !isOnlyOne) continue;
    if (child?.parentInstanceId !== instance.instanceId) continue;
    const { result: told } = isFailed ? { result: "a failure" } : eventType.value;
    const isSo = isFailed
      ? child.status === "failed" || child.status === "terminated"
      : child.status === "completed" && child.output === told;
    if (isSo) continue;
    const found = `${instance.instanceId} was told ${told} of ${childId}`;
    world.violation("parent and child agree", `${found}, which is ${child.status}`);
  }
}

/** An instance has the tags of its start, whatever execution it has come to. */
function checkTags(world: World, { instanceId, tags }: Instance, caller: Caller): void {
  const given = caller.tagsOf.get(instanceId);
  if (given === undefined || caller.meddled.has(instanceId)) return;
  if (given.some((one) => one[lotTag] === tags[lotTag])) return;
  world.violation("tags stay", `${instanceId}: ${JSON.stringify(tags)}`);
}

/** The engine knows what each waits for. */
async function checkExplained(
  world: World,
  engine: Engine,
  { instance, history }: Seen,
  seen: ReadonlyMap<string, Seen>,
): Promise<void> {
  const { instanceId, status } = instance;
  if (status !== "running") return;
  const explained = await engine.explain(instanceId);
  const replay = new Replay(runProgram);
  for (const event of history) replay.take(event);
  const waits = replay.waitsFor();
  const idsOf = (kind: string): number[] =>
    waits.flatMap((wait) => (wait.kind === kind ? [wait.id] : [])).sort();
  const check = (kind: string, wanted: readonly number[], found: readonly number[]): void => {
    if (wanted.join() === [...found].sort().join()) return;
    const what = `${instanceId}: ${kind} ${found.join()} for ${wanted.join()}`;
    world.violation("what is waited for is explained", what);
  };
  check("tasks", idsOf("task"), explained?.activities.map(({ taskId }) => taskId) ?? []);
  for (const id of idsOf("child")) {
    const child = explained?.children.find(({ taskId }) => taskId === id);
    if (child?.status === seen.get(child?.instanceId ?? "")?.instance.status) continue;
    world.violation("what is waited for is explained", `${instanceId}: child ${id}`);
  }
}

/** An end that a caller was told of stays, until the id is used again or purged. */
function checkEnds(world: World, caller: Caller, seen: ReadonlyMap<string, Seen>): void {
  for (const end of caller.ends) {
    const now = seen.get(end.instanceId)?.instance;
    if (now === undefined || now.executionId !== end.executionId) continue;
    if (
      now.status !== end.status ||
      now.output !== end.output ||
      now.completedAt !== end.completedAt
    ) {
      const found = `${end.instanceId}: ${end.status} became ${now.status}`;
      world.violation("an ended instance never changes", found);
    }
  }
  for (const id of world.disk.ids()) checkRows(world, id);
}

/** No row of an execution differs from the one that ended it. */
function checkRows(world: World, instanceId: string): void {
  const rows = world.disk.allRows(instanceId);
  rows.forEach((row, index) => {
    const before = index === 0 ? undefined : rows[index - 1];
    if (before === undefined || before.completedAt === 0) return;
    if (row === undefined || row.executionId !== before.executionId) return;
    const isSame = row.chain === before.chain && row.inboxNext === before.inboxNext;
    if (isSame && row.status === before.status) return;
    world.violation("an ended instance never changes", `${instanceId}: ${row.status}`);
  });
}
