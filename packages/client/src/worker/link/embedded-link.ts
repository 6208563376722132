// SPDX-License-Identifier: Apache-2.0

import { decodeFrames, type HistoryEvent, longestTimerMs } from "@pawl/protocol";
import { createDeferred } from "../../async/deferred.js";
import { toFailureDetails } from "../../failure.js";
import type { ActivityItem, PortSession, TurnItem, WorkerPort } from "../../port.js";
import type { TurnOutcome } from "../replay/replay.js";
import type {
  ActivityOutcome,
  ActivityTask,
  Turn,
  WorkChannel,
  WorkLink,
  WorkReceiver,
} from "./work.js";

type TurnCompletion = Parameters<WorkerPort["completeTurn"]>[0];
type ActivityCompletion = Parameters<WorkerPort["completeActivity"]>[0];

/** Fields as they are filled in. */
type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** A link to an engine in the same process: no sockets, and no bytes where none are needed. */
export function createEmbeddedLink(port: WorkerPort): WorkLink {
  return {
    async open(announcement, receiver, signal) {
      const ended = createDeferred();
      const unanswered = new Set<Promise<void>>();
      const session = port.connectWorker(
        { ...announcement, cache: "result" },
        (item) => deliver(item, receiver),
        (instanceId) => receiver.release(instanceId),
      );
      // As a socket would: the engine's own timers let the process end under a sleeping instance.
      const keepAlive = setInterval(() => {}, longestTimerMs);
      const end = (): void => {
        clearInterval(keepAlive);
        session.close();
        signal.removeEventListener("abort", end);
        ended.resolve();
      };
      signal.addEventListener("abort", end, { once: true });
      // A result that was not taken ends the session, so that its item is handed out again.
      const refused = (error: unknown): void => {
        ended.reject(error);
        end();
      };
      // One commit takes many results, and answers them with one promise: it is looked at once.
      let latest: Promise<void> | undefined;
      const answer = (reply: Promise<void>): void => {
        if (reply === latest) return;
        latest = reply;
        const settled = reply.catch(refused).then(() => {
          unanswered.delete(settled);
        });
        unanswered.add(settled);
      };
      const close = async (): Promise<void> => {
        await Promise.all(unanswered);
        end();
      };
      return createChannel(port, session, { answer, close, closed: ended.promise });
    },
  };
}

function createChannel(
  port: WorkerPort,
  session: PortSession,
  life: Pick<WorkChannel, "close" | "closed"> & { answer(reply: Promise<void>): void },
): WorkChannel {
  return {
    completeTurn: (turn, outcome) => life.answer(port.completeTurn(completionOf(turn, outcome))),
    missTurn: ({ instanceId, token }) => session.returnTurn(instanceId, token),
    completeActivity: (task, outcome) => {
      life.answer(port.completeActivity(activityCompletionOf(task, outcome)));
    },
    evict: (instanceId) => session.evict([instanceId]),
    close: life.close,
    closed: life.closed,
  };
}

function completionOf({ instanceId, token }: Turn, outcome: TurnOutcome): TurnCompletion {
  const { actions, customStatus, version: name, patches } = outcome;
  const completion: Draft<TurnCompletion> = { instanceId, token, actions };
  if (customStatus !== undefined) completion.customStatus = customStatus;
  // What the engine writes down of the code that ran.
  if (name !== undefined || patches !== undefined) {
    completion.version = { patches: patches ?? [], ...(name === undefined ? {} : { name }) };
  }
  return completion;
}

function activityCompletionOf(
  { instanceId, taskId, token }: ActivityTask,
  outcome: ActivityOutcome,
): ActivityCompletion {
  const completion: Draft<ActivityCompletion> = { instanceId, taskId, token };
  if ("failure" in outcome) completion.failure = toFailureDetails(outcome.failure);
  else if (outcome.output !== undefined) completion.output = outcome.output;
  return completion;
}

function deliver(item: TurnItem | ActivityItem, receiver: WorkReceiver): void {
  if (item.kind === "turn") receiver.turn(new EmbeddedTurn(item));
  else receiver.activity(item);
}

class EmbeddedTurn implements Turn {
  readonly instanceId: string;
  readonly executionId: string;
  readonly workflow: string;
  readonly token: string;
  readonly #item: TurnItem;

  constructor(item: TurnItem) {
    this.instanceId = item.instanceId;
    this.executionId = item.executionId;
    this.workflow = item.workflow;
    this.token = item.token;
    this.#item = item;
  }

  get isCached(): boolean {
    return this.#item.cachedEventCount > 0;
  }

  get events(): readonly HistoryEvent[] {
    return this.#item.events.map(({ event }) => event);
  }

  past(): readonly HistoryEvent[] {
    return this.#item.past.flatMap(decodeFrames).map(({ event }) => event);
  }
}
