// SPDX-License-Identifier: Apache-2.0

import { decodeFrames, longestTimerMs, type TaskFailureDetails } from "@pawl/protocol";
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
    completeActivity({ instanceId, taskId, token }, outcome) {
      life.answer(port.completeActivity({ instanceId, taskId, token, ...activityResult(outcome) }));
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

function activityResult(
  outcome: ActivityOutcome,
): { failure: TaskFailureDetails } | { output?: string } {
  if ("failure" in outcome) return { failure: toFailureDetails(outcome.failure) };
  return outcome.output === undefined ? {} : { output: outcome.output };
}

function deliver(item: TurnItem | ActivityItem, receiver: WorkReceiver): void {
  if (item.kind === "turn") receiver.turn(turnOf(item));
  else receiver.activity(taskOf(item));
}

function turnOf(item: TurnItem): Turn {
  return {
    instanceId: item.instanceId,
    executionId: item.executionId,
    workflow: item.workflow,
    token: item.token,
    isCached: item.cachedEventCount > 0,
    past: () => item.past.flatMap(decodeFrames).map(({ event }) => event),
    events: item.events.map(({ event }) => event),
  };
}

function taskOf(item: ActivityItem): ActivityTask {
  const task: Draft<ActivityTask> = {
    instanceId: item.instanceId,
    executionId: item.executionId,
    taskId: item.taskId,
    activity: item.name,
    input: item.input,
    token: item.token,
    taskExecutionId: item.taskExecutionId,
  };
  if (item.traceParent !== undefined) task.traceParent = item.traceParent;
  if (item.traceState !== undefined) task.traceState = item.traceState;
  return task;
}
