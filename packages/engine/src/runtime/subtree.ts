// SPDX-License-Identifier: Apache-2.0

import { nothing, type Outcome } from "../core/outcome.js";
import type { InstanceState } from "../core/state.js";
import { hasEnded } from "../core/status.js";
import type { Runtime } from "./runtime.js";

/** How to walk. */
export interface WalkOptions {
  /**
   * Wait until what is known of each instance is on disk, and until the messages on their way to it
   * have arrived: a child that was asked for is then not taken for a missing one. Not for use while
   * a message is being taken. @default false
   */
  readonly settled?: boolean;
  /**
   * Wait until what is known of an instance with children is on disk: from then on the messages to
   * them are on their way (`Delivery.isStarting`). @default as `settled`
   */
  readonly posted?: boolean;
  /** Takes a child that is not there: it was refused, is gone, or is on its way. @default skipped */
  readonly onAbsent?: (place: Required<Place>) => void;
}

/** A place in a tree: an id, and for a child the execution that asked for it. */
export interface Place {
  readonly id: string;
  readonly parentExecutionId?: string;
}

/**
 * Visits an instance and, where `visit` says so, the children that its history has; parents before
 * children, each once. Missing ones are skipped, and those who have a child's id and another parent:
 * that child was refused, or is gone.
 * @throws INSTANCE_DAMAGED, STORE_UNAVAILABLE, and what `visit` throws
 */
export async function walkSubtree(
  runtime: Runtime,
  instanceId: string,
  visit: (state: InstanceState) => "children" | "leaf",
  { settled = false, posted = settled, onAbsent }: WalkOptions = {},
): Promise<void> {
  const seen = new Set<string>();
  const open: Place[] = [{ id: instanceId }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { id } = place;
    if (seen.has(id)) continue;
    if (settled) await runtime.delivery.arrived(id);
    await runtime.mailboxes.run(id, async (mailbox) => {
      const { state } = mailbox;
      try {
        if (state === undefined || !isAt(place, state.parent)) {
          const { parentExecutionId } = place;
          if (parentExecutionId !== undefined) onAbsent?.({ id, parentExecutionId });
          return;
        }
        seen.add(id);
        if (visit(state) === "leaf" || state.fold.children.size === 0) return;
        if (posted) await runtime.durable(mailbox);
        for (const child of state.fold.children.values()) {
          open.push({ id: child.instanceId, parentExecutionId: state.executionId });
        }
      } finally {
        if (settled) await runtime.durable(mailbox);
      }
    });
  }
}

function isAt(
  { parentExecutionId }: Place,
  parent: { readonly executionId: string } | undefined,
): boolean {
  return parentExecutionId === undefined || parentExecutionId === parent?.executionId;
}

/** What was found below an id that is to be used again. */
export interface Below {
  /** The ended execution that was looked at; undefined: none had ended. */
  readonly executionId: string | undefined;
  /** An instance below it that has not ended, or whose start is on its way. */
  readonly active: string | undefined;
}

/**
 * Looks for a child, at any depth, that has not ended below an instance that has, or whose start is on
 * its way: while there is one, the id cannot be used again (engine semantics 2.3). It waits for no
 * message, so that one that is being taken may ask.
 */
export async function lookBelow(runtime: Runtime, instanceId: string): Promise<Below> {
  const { mailboxes } = runtime;
  const live = mailboxes.peek(instanceId)?.state;
  let executionId: string | undefined;
  let active: string | undefined;
  if (live !== undefined && !hasEnded(live)) return { executionId, active };
  const visit = (state: InstanceState): "children" | "leaf" => {
    const isRoot = state.instanceId === instanceId;
    if (!hasEnded(state)) {
      if (!isRoot) active ??= state.instanceId;
      return "leaf";
    }
    if (isRoot) executionId = state.executionId;
    return active === undefined ? "children" : "leaf";
  };
  const onAbsent = ({ id, parentExecutionId }: Required<Place>): void => {
    if (runtime.delivery.isStarting(id, parentExecutionId)) active ??= id;
  };
  await walkSubtree(runtime, instanceId, visit, { posted: true, onAbsent });
  return { executionId, active };
}

/** True when an execution has ended since, and nobody has looked below that one. */
export function isOutdated({ executionId }: Below, state: InstanceState | undefined): boolean {
  return state !== undefined && hasEnded(state) && state.executionId !== executionId;
}

/**
 * Carries a command out that may use an id again. It is decided on what is below the very execution
 * that it would take the place of: where that has changed meanwhile, it is looked at again.
 */
export async function commandAnew(
  runtime: Runtime,
  instanceId: string,
  decide: (state: InstanceState | undefined, activeChild: string | undefined) => Outcome,
): Promise<void> {
  // What is not in memory is read by the command: it has nothing below it if it is not there at all,
  // as most ids that are used for a start, and is looked at if it has ended.
  let below: Below =
    runtime.mailboxes.peek(instanceId) === undefined
      ? { executionId: undefined, active: undefined }
      : await lookBelow(runtime, instanceId);
  for (let isDone = false; !isDone; ) {
    await runtime.command(instanceId, (state) => {
      isDone = !isOutdated(below, state);
      return isDone ? decide(state, below.active) : nothing;
    });
    if (!isDone) below = await lookBelow(runtime, instanceId);
  }
}
