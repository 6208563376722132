// SPDX-License-Identifier: Apache-2.0

import { fromBinary } from "@bufbuild/protobuf";
import type { ActivityItem, TurnItem, WorkItem } from "@pawl/engine";
import { readStoredEvents } from "@pawl/engine/testing";
import {
  EventRecord,
  type ExecutionStartedEvent,
  type PropagatedHistory,
  type PropagatedHistoryChunk,
  PropagatedHistorySchema,
} from "@pawl/protocol";
import { type Scope, wireScope } from "./workflow/actions.ts";
import type { ActivityInput, ProgramInput } from "./workflow/program.ts";
import type { World } from "./world/world.ts";

/** What an execution was given, when it was first shown. */
interface Given {
  readonly bytes: Uint8Array | undefined;
  readonly chunks: readonly PropagatedHistoryChunk[];
}

/** Who asked for something, and with what event. */
interface Asker {
  readonly instanceId: string;
  readonly executionId: string;
  readonly event: { readonly kind: string; readonly id: number };
}

/**
 * What activities and instances are given of the histories above them: what was asked for and no more,
 * the same with every turn and over every life of the server, and what was on disk.
 */
export class HandedOn {
  readonly #world: World;
  readonly #given = new Map<string, Given>();
  /** Of each execution, the events of its newest turn. */
  readonly #turns = new Map<string, readonly EventRecord[]>();
  /** Of each instance, the execution that had the newest turn. */
  readonly #newest = new Map<string, string>();
  readonly #ungiven: { readonly item: ActivityItem; readonly step: number }[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Looks at what goes out to a worker. */
  check(item: WorkItem): void {
    if (item.kind === "activity") this.#checkActivity(item);
    else this.#checkTurn(item);
  }

  /** An activity that was not given what it should be: its workflow had gone on as new, or was gone. */
  checkRest(): void {
    for (const { item, step } of this.#ungiven) {
      const { instanceId, executionId } = item;
      const rows = this.#world.disk.rowsSince(instanceId, step);
      if (rows.some((row) => row?.executionId !== executionId)) continue;
      this.#note(item, "nothing was given");
    }
  }

  #note({ kind, instanceId }: WorkItem, found: string): void {
    this.#world.violation(
      "what is handed on is what was asked for",
      `${kind} of ${instanceId}: ${found}`,
    );
  }

  #checkActivity(item: ActivityItem): void {
    const { given: scope }: ActivityInput = JSON.parse(item.input ?? "{}");
    const { instanceId, executionId, taskId, propagated } = item;
    if (scope !== undefined && propagated === undefined) {
      this.#ungiven.push({ item, step: this.#world.scheduler.steps });
      return;
    }
    const history = this.#historyOf(item, scope);
    if (history === undefined) return;
    const event = { kind: "taskScheduled", id: taskId };
    this.#checkAsked(item, history, scope, { instanceId, executionId, event });
  }

  #checkTurn(item: TurnItem): void {
    const { instanceId, executionId, propagated, events } = item;
    const known = this.#given.get(executionId);
    if (known === undefined) this.#begin(item);
    else if (!isSame(known.bytes, propagated)) this.#note(item, "not the same as before");
    this.#newest.set(instanceId, executionId);
    this.#turns.set(executionId, events);
  }

  /** The first turn of an execution: its start says what it is given. */
  #begin(item: TurnItem): void {
    const { executionId, propagated: bytes, events } = item;
    const started = startOf(events);
    const { given: scope, isRenewed }: Partial<ProgramInput> = JSON.parse(started?.input ?? "{}");
    const history = this.#historyOf(item, scope);
    this.#given.set(executionId, { bytes, chunks: history?.chunks ?? [] });
    if (history === undefined) return;
    if (isRenewed === true) this.#checkRenewed(item, history, scope);
    else this.#checkChild(item, history, scope, started);
  }

  #checkChild(
    item: TurnItem,
    history: PropagatedHistory,
    scope: Scope | undefined,
    started: ExecutionStartedEvent | undefined,
  ): void {
    const { workflowInstance, taskScheduledId: id = -1 } = started?.parentInstance ?? {};
    this.#checkAsked(item, history, scope, {
      instanceId: workflowInstance?.instanceId ?? "",
      executionId: workflowInstance?.executionId ?? "",
      event: { kind: "childWorkflowInstanceCreated", id },
    });
    const last = history.chunks.at(-1)?.rawEvents.at(-1);
    const type = last && EventRecord.fromBytes(last).event.eventType;
    if (
      type?.case === "childWorkflowInstanceCreated" &&
      type.value.instanceId !== item.instanceId
    ) {
      this.#note(item, `the asking is that of ${type.value.instanceId}`);
    }
  }

  /** What an item was given; undefined: nothing, as it should be, or what is wrong was noted. */
  #historyOf(item: WorkItem, scope: Scope | undefined): PropagatedHistory | undefined {
    const { propagated } = item;
    if (scope === undefined || propagated === undefined) {
      if (propagated !== undefined) this.#note(item, "not asked for");
      if (scope !== undefined) this.#note(item, "nothing was given");
      return undefined;
    }
    const history = fromBinary(PropagatedHistorySchema, propagated);
    if (history.scope !== wireScope[scope])
      this.#note(item, `${history.scope} in place of ${scope}`);
    if (history.chunks.some(({ appId }) => appId === "")) this.#note(item, "no name of an app");
    return history;
  }

  /** All that the asker's history had, up to the asking, behind what the asker was given itself. */
  #checkAsked(
    item: WorkItem,
    history: PropagatedHistory,
    scope: Scope | undefined,
    asker: Asker,
  ): void {
    const own = this.#checkAbove(item, history, scope, asker);
    if (own === undefined) return;
    const { eventId, eventType } = EventRecord.fromBytes(own.at(-1) ?? new Uint8Array()).event;
    if (eventId !== asker.event.id || eventType.case !== asker.event.kind) {
      this.#note(item, `ends with ${eventType.case} ${eventId}`);
    }
    this.#checkStored(item, asker.instanceId, own, (stored) => isBeginning(own, stored));
  }

  /** The next execution is given all of the one before, with the turn that ended it. */
  #checkRenewed(item: TurnItem, history: PropagatedHistory, scope: Scope | undefined): void {
    const { instanceId } = item;
    const executionId = this.#newest.get(instanceId) ?? "";
    const own = this.#checkAbove(item, history, scope, { instanceId, executionId });
    if (own === undefined) return;
    const turn = (this.#turns.get(executionId) ?? []).map(({ bytes }) => bytes);
    const past = own.slice(0, own.length - turn.length);
    const end = own.slice(past.length);
    const isWhole = isBeginning(end, turn) && end.length === turn.length;
    if (!isWhole) this.#note(item, "without the last turn");
    // The newest turns may have been written together with the next execution: their history never was.
    this.#checkStored(item, instanceId, own, (stored) => isBeginning(stored, past));
  }

  /** What the asker was given comes first, where that was asked for; gives the events of its own. */
  #checkAbove(
    item: WorkItem,
    { chunks }: PropagatedHistory,
    scope: Scope | undefined,
    { instanceId, executionId }: Pick<Asker, "instanceId" | "executionId">,
  ): readonly Uint8Array[] | undefined {
    const own = chunks.at(-1);
    const above = scope === "lineage" ? (this.#given.get(executionId)?.chunks ?? []) : [];
    const isRight =
      above.length === chunks.length - 1 && above.every((one, at) => isChunk(one, chunks[at]));
    if (!isRight)
      this.#note(item, `${chunks.length - 1} chunks of above in place of ${above.length}`);
    if (own?.instanceId !== instanceId) this.#note(item, `${own?.instanceId} for ${instanceId}`);
    return own?.rawEvents;
  }

  /** A history begins with a start, which names its execution; the one on disk that has it, if any, is the same. */
  #checkStored(
    item: WorkItem,
    instanceId: string,
    own: readonly Uint8Array[],
    fits: (stored: readonly Uint8Array[]) => boolean,
  ): void {
    const events = own.map((bytes) => EventRecord.fromBytes(bytes).event);
    const startAt = events.findIndex(({ eventType }) => eventType.case === "executionStarted");
    if (startAt === -1) this.#note(item, "without a start");
    for (const chunks of this.#world.disk.histories(instanceId)) {
      const stored = chunks.flatMap((chunk) => readStoredEvents(chunk).map(({ bytes }) => bytes));
      if (!isBeginning(own.slice(0, startAt + 1), stored) || fits(stored)) continue;
      this.#note(item, `${own.length} events that are not those on disk`);
    }
  }
}

function startOf(events: readonly EventRecord[]): ExecutionStartedEvent | undefined {
  for (const { event } of events) {
    if (event.eventType.case === "executionStarted") return event.eventType.value;
  }
  return undefined;
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}

function isBeginning(own: readonly Uint8Array[], whole: readonly Uint8Array[]): boolean {
  return own.length <= whole.length && own.every((bytes, at) => isSame(bytes, whole[at]));
}

function isChunk(one: PropagatedHistoryChunk, other: PropagatedHistoryChunk | undefined): boolean {
  return (
    other?.instanceId === one.instanceId &&
    other.rawEvents.length === one.rawEvents.length &&
    isBeginning(one.rawEvents, other.rawEvents)
  );
}
