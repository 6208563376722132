// SPDX-License-Identifier: Apache-2.0

import type { Explanation, Instance, OpenActivity, WaitReason } from "@pawl/protocol/port";

type Facts = Omit<Explanation, "instance" | "summary" | "damage">;

const waits: Record<WaitReason, string> = {
  worker: "no connected worker offers it",
  room: "every worker that offers it is full",
  limit: "the limit on work at once is reached",
};

/** One sentence for people: what an instance waits for. */
export function summaryOf(instance: Instance, facts: Facts): string {
  const { status, workflow, startAt } = instance;
  if (instance.completedAt !== undefined) return `It has ended: ${status}.`;
  if (status === "stalled")
    return `It is stalled: ${instance.stallReason ?? "no reason is known"}.`;
  if (facts.turnWorkerId !== undefined) {
    return `Worker ${workerText(facts.turnWorkerId, facts.turnWorkerName)} has its turn.`;
  }
  if (facts.turnWaitsFor !== undefined) {
    return `Its turn waits for a worker of workflow "${workflow}": ${waits[facts.turnWaitsFor]}.`;
  }
  if (facts.failedTurns > 0) {
    return `Its turn came to nothing ${facts.failedTurns} times and will be tried again.`;
  }
  if (status === "pending" && startAt !== undefined) return `It starts at ${iso(startAt)}.`;
  const open = openThings(facts);
  const waiting = open.length === 0 ? "" : ` It waits for ${open.join("; ")}.`;
  if (status === "suspended") {
    const since = facts.suspendedAt === undefined ? "" : ` since ${iso(facts.suspendedAt)}`;
    return `It is suspended${since}, until it is resumed.${waiting}`;
  }
  return waiting === ""
    ? "Nothing is open: its code waits for what history does not show."
    : waiting.slice(1);
}

function openThings({ activities, children, timers }: Facts): string[] {
  const sleeps = timers.filter(({ eventName }) => eventName === undefined);
  const awaited = timers.filter(({ eventName }) => eventName !== undefined);
  const next = Math.min(...sleeps.map(({ fireAt }) => fireAt));
  return [
    ...activities.slice(0, 3).map(activityText),
    ...more(activities.length - 3, "activities"),
    ...children
      .slice(0, 3)
      .map((child) => `child "${child.instanceId}" (${child.status ?? "not there yet"})`),
    ...more(children.length - 3, "children"),
    ...(awaited.length === 0
      ? []
      : [`event ${awaited.map(({ eventName }) => `"${eventName}"`).join(", ")}`]),
    ...(sleeps.length === 0 ? [] : [`a timer at ${iso(next)}`]),
  ];
}

/** By its own name, with the engine's to tell several of one name apart. */
function workerText(workerId: string, name: string | undefined): string {
  return name === undefined ? workerId : `"${name}" (${workerId})`;
}

function activityText(activity: OpenActivity): string {
  const { name, workerId, workerName, waitsFor, attempt, scheduledAt } = activity;
  const at =
    workerId === undefined
      ? waits[waitsFor ?? "room"]
      : `with worker ${workerText(workerId, workerName)}`;
  const tries = attempt > 1 ? `, attempt ${attempt}` : "";
  return `activity "${name}" (${at}, asked for at ${iso(scheduledAt)}${tries})`;
}

function more(count: number, what: string): string[] {
  return count > 0 ? [`${count} more ${what}`] : [];
}

function iso(instant: number): string {
  const date = new Date(instant);
  return Number.isNaN(date.getTime()) ? `${instant} ms` : date.toISOString();
}
