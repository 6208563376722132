// SPDX-License-Identifier: Apache-2.0

import { fromTimestamp, type HistoryEvent } from "@pawl/protocol";
import type {
  Explanation,
  InboxEvent,
  Instance,
  ManagementPort,
  OpenActivity,
  OpenChild,
  WaitReason,
} from "@pawl/protocol/port";
import type { InstanceState, OpenTask } from "../../core/state.js";
import { isDamage } from "../../store/damaged.js";
import type { Mailbox } from "../mailbox.js";
import type { Runtime } from "../runtime.js";
import type { Worker } from "../work/worker.js";
import { readRun } from "./reader.js";
import { summaryOf } from "./summary.js";

/** What is known of an instance in memory, at one moment. */
type Live = Pick<
  Explanation,
  | "activities"
  | "timers"
  | "inbox"
  | "turnWorkerId"
  | "turnWorkerName"
  | "turnWaitsFor"
  | "failedTurns"
> & { readonly open: readonly Pick<OpenChild, "taskId" | "instanceId">[] };

/**
 * Everything that an instance waits for. Undefined when there is none of this id.
 * @throws STORE_UNAVAILABLE
 */
export async function explain(
  runtime: Runtime,
  reader: Pick<ManagementPort, "get">,
  instanceId: string,
): Promise<Explanation | undefined> {
  try {
    const run = await readRun(runtime.store, instanceId);
    const events = run?.history.map((record) => record.event) ?? [];
    const told = toldBy(events);
    const live = await runtime.mailboxes.run(instanceId, (mailbox) =>
      mailbox.state === undefined ? undefined : lookAt(runtime, mailbox, mailbox.state, told),
    );
    const instance = await reader.get(instanceId);
    if (live === undefined || instance === undefined) return undefined;
    const { open, ...rest } = live;
    const children = await Promise.all(open.map((child) => withStatus(reader, child)));
    const facts = { ...rest, children, ...suspension(instance, events) };
    return { ...facts, instance, summary: summaryOf(instance, facts) };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const damage = error.message;
    const nothing = { activities: [], timers: [], children: [], inbox: [], failedTurns: 0 };
    return { ...nothing, damage, summary: `It is damaged and parked: ${damage}.` };
  }
}

/** What history says of open work, gathered in one pass: an instance may have many thousands open. */
interface Told {
  /** How often each call was scheduled, by the id that its attempts share. */
  readonly attempts: ReadonlyMap<string, number>;
  /** The event that a timer's wait is for, as the workflow names it. */
  readonly eventNames: ReadonlyMap<number, string>;
}

function toldBy(events: readonly HistoryEvent[]): Told {
  const attempts = new Map<string, number>();
  const eventNames = new Map<number, string>();
  for (const { eventId, eventType } of events) {
    if (eventType.case === "taskScheduled") {
      const call = eventType.value.taskExecutionId;
      attempts.set(call, (attempts.get(call) ?? 0) + 1);
    } else if (eventType.case === "timerCreated") {
      const { origin } = eventType.value;
      if (origin.case === "externalEvent") eventNames.set(eventId, origin.value.name);
    }
  }
  return { attempts, eventNames };
}

function lookAt(runtime: Runtime, mailbox: Mailbox, state: InstanceState, told: Told): Live {
  const { fold } = state;
  const isOpen = fold.end === undefined;
  const holders = holdersOf(runtime, state);
  const waits = new Map<string, WaitReason>();
  const facts = (task: OpenTask): OpenActivity => {
    const activity = activityOf(task, told);
    const { workerId, registration } = holders.get(task.taskId) ?? {};
    if (workerId === undefined) {
      const { name } = activity;
      const waitsFor = waits.get(name) ?? activityWait(runtime, name);
      waits.set(name, waitsFor);
      return { ...activity, waitsFor };
    }
    return { ...activity, workerId, ...(registration?.name && { workerName: registration.name }) };
  };
  return {
    activities: [...fold.tasks.values()]
      .filter(({ taskId }) => !state.settled.has(taskId))
      .map(facts),
    timers: [...fold.timers.values()].map(({ timerId, fireAt }) => {
      const name = told.eventNames.get(timerId);
      return name === undefined ? { timerId, fireAt } : { timerId, fireAt, eventName: name };
    }),
    open: [...fold.children]
      .filter(([, child]) => child.open && isOpen)
      .map(([taskId, child]) => ({ taskId, instanceId: child.instanceId })),
    inbox: state.inbox.map(({ event }) => inboxEventOf(event)),
    failedTurns: mailbox.failedTurns,
    ...turnHolder(runtime, mailbox),
    ...(mailbox.place === undefined ? {} : { turnWaitsFor: turnWait(runtime, state.workflow) }),
  };
}

function turnHolder(
  { dispatch }: Runtime,
  { turn }: Mailbox,
): Pick<Explanation, "turnWorkerId" | "turnWorkerName"> {
  if (turn === undefined) return {};
  const name = dispatch.workers.get(turn.workerId)?.registration.name;
  return { turnWorkerId: turn.workerId, ...(name ? { turnWorkerName: name } : {}) };
}

function turnWait({ dispatch }: Runtime, workflow: string): WaitReason {
  if (!dispatch.canRun(workflow)) return "worker";
  return dispatch.turnHold(workflow) === undefined ? "room" : "limit";
}

/** The workers that have the execution's activities, by task. */
function holdersOf({ dispatch }: Runtime, state: InstanceState): ReadonlyMap<number, Worker> {
  const holders = new Map<number, Worker>();
  for (const worker of dispatch.workers.values()) {
    for (const { instanceId, executionId, taskId } of worker.activities.values()) {
      const isIts = instanceId === state.instanceId && executionId === state.executionId;
      if (isIts) holders.set(taskId, worker);
    }
  }
  return holders;
}

function activityWait({ dispatch }: Runtime, name: string): WaitReason {
  const isOffered = [...dispatch.workers.values()].some((worker) => worker.runs("activity", name));
  if (!isOffered) return "worker";
  return dispatch.activityHold(name) === undefined ? "room" : "limit";
}

function activityOf({ taskId, record }: OpenTask, { attempts }: Told): OpenActivity {
  const { event } = record;
  const scheduled = event.eventType.case === "taskScheduled" ? event.eventType.value : undefined;
  const call = scheduled?.taskExecutionId ?? "";
  return {
    taskId,
    name: scheduled?.name ?? "",
    scheduledAt: event.timestamp === undefined ? 0 : fromTimestamp(event.timestamp),
    attempt: call === "" ? 1 : (attempts.get(call) ?? 1),
  };
}

function inboxEventOf({ eventType }: HistoryEvent): InboxEvent {
  const kind = eventType.case ?? "unknown";
  return eventType.case === "eventRaised" ? { kind, name: eventType.value.name } : { kind };
}

function suspension(
  { status }: Instance,
  events: readonly HistoryEvent[],
): Pick<Explanation, "suspendedAt"> {
  if (status !== "suspended") return {};
  const last = events.findLast(({ eventType }) => eventType.case === "executionSuspended");
  return last?.timestamp === undefined ? {} : { suspendedAt: fromTimestamp(last.timestamp) };
}

async function withStatus(
  reader: Pick<ManagementPort, "get">,
  child: Pick<OpenChild, "taskId" | "instanceId">,
): Promise<OpenChild> {
  const found = await reader.get(child.instanceId, { payloads: false });
  return found === undefined ? child : { ...child, status: found.status };
}
