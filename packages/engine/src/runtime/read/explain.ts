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
import { isEngineError } from "../../errors.js";
import type { Mailbox } from "../mailbox.js";
import type { Runtime } from "../runtime.js";
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
    const live = await runtime.mailboxes.run(instanceId, (mailbox) =>
      mailbox.state === undefined ? undefined : lookAt(runtime, mailbox, mailbox.state, events),
    );
    const instance = await reader.get(instanceId);
    if (live === undefined || instance === undefined) return undefined;
    const { open, ...rest } = live;
    const children = await Promise.all(open.map((child) => withStatus(reader, child)));
    const facts = { ...rest, children, ...suspension(instance, events) };
    return { ...facts, instance, summary: summaryOf(instance, facts) };
  } catch (error) {
    if (!isEngineError(error) || error.code !== "INSTANCE_DAMAGED") throw error;
    const damage = error.message;
    const nothing = { activities: [], timers: [], children: [], inbox: [], failedTurns: 0 };
    return { ...nothing, damage, summary: `It is damaged and parked: ${damage}.` };
  }
}

function lookAt(
  runtime: Runtime,
  mailbox: Mailbox,
  state: InstanceState,
  events: readonly HistoryEvent[],
): Live {
  const { fold } = state;
  const isOpen = fold.end === undefined;
  return {
    activities: [...fold.tasks.values()]
      .filter(({ taskId }) => !state.settled.has(taskId))
      .map((task) => activityOf(runtime, state, task, events)),
    timers: [...fold.timers.values()].map(({ timerId, fireAt }) => {
      const name = eventNameOf(events, timerId);
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

function activityOf(
  { dispatch }: Runtime,
  state: InstanceState,
  { taskId, record }: OpenTask,
  events: readonly HistoryEvent[],
): OpenActivity {
  const { event } = record;
  const scheduled = event.eventType.case === "taskScheduled" ? event.eventType.value : undefined;
  const name = scheduled?.name ?? "";
  const call = scheduled?.taskExecutionId ?? "";
  const tries = events.filter(
    ({ eventType }) =>
      eventType.case === "taskScheduled" && eventType.value.taskExecutionId === call,
  );
  const facts = {
    taskId,
    name,
    scheduledAt: event.timestamp === undefined ? 0 : fromTimestamp(event.timestamp),
    attempt: call === "" ? 1 : Math.max(tries.length, 1),
  };
  let offered = false;
  for (const worker of dispatch.workers.values()) {
    offered ||= worker.runs("activity", name);
    for (const work of worker.activities.values()) {
      const isIt = work.instanceId === state.instanceId && work.taskId === taskId;
      if (isIt && work.executionId === state.executionId) {
        const { name: workerName } = worker.registration;
        const named = workerName === "" ? {} : { workerName };
        return { ...facts, workerId: worker.workerId, ...named };
      }
    }
  }
  const room = dispatch.activityHold(name) === undefined ? "room" : "limit";
  return { ...facts, waitsFor: offered ? room : "worker" };
}

/** The event that a timer's wait is for, as the workflow names it. */
function eventNameOf(events: readonly HistoryEvent[], timerId: number): string | undefined {
  for (const { eventId, eventType } of events) {
    if (eventId !== timerId || eventType.case !== "timerCreated") continue;
    const { origin } = eventType.value;
    return origin.case === "externalEvent" ? origin.value.name : undefined;
  }
  return undefined;
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
