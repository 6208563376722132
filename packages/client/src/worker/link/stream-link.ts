// SPDX-License-Identifier: Apache-2.0

import { create, toBinary } from "@bufbuild/protobuf";
import { createClient as createRpcClient, type Transport } from "@connectrpc/connect";
import {
  ActivityResultSchema,
  type ActivityTask as ActivityTaskMessage,
  limits,
  type Turn as TurnMessage,
  type TurnResult,
  TurnResultSchema,
  WorkerAnnouncementSchema,
  WorkerService,
  type WorkResponse,
} from "@pawl/protocol";
import { PawlError } from "../../errors.js";
import { toFailureMessage } from "../../failure.js";
import type { Failure } from "../../port.js";
import { toPawlError } from "../../remote/rpc-error.js";
import { completionAction } from "../replay/completion.js";
import { failureLength, payloadLength } from "./result-length.js";
import type { ActivityTask, Turn, WorkChannel, WorkLink, WorkReceiver } from "./work.js";
import { WorkRequestQueue } from "./work-request-queue.js";

/** Bytes of one result: what a server reads, less room for what shares its message. */
const resultBytes = 3 * limits.requestBytes;

/** Bytes that an action takes without its payload, at most in all but odd cases. */
const actionBytes = 2048;

/** How long a closed stream may take to end from the server's side, in milliseconds. */
const closeWaitMs = 2000;

/** A link over the bidirectional stream of WorkerService. */
export function createStreamLink(transport: Transport): WorkLink {
  const service = createRpcClient(WorkerService, transport);
  return {
    async open(announcement, receiver, signal) {
      const queue = new WorkRequestQueue(
        create(WorkerAnnouncementSchema, {
          name: announcement.name,
          workflows: [...announcement.workflows],
          activities: [...announcement.activities],
          turnLimit: announcement.turnLimit,
          activityLimit: announcement.activityLimit,
          cachesInstances: true,
        }),
      );
      const breaking = new AbortController();
      const abort = (): void => breaking.abort();
      signal.addEventListener("abort", abort, { once: true });
      const end = (): void => {
        queue.end();
        signal.removeEventListener("abort", abort);
      };
      try {
        const responses = service.work(queue, { signal: breaking.signal })[Symbol.asyncIterator]();
        deliver(await requireWelcome(responses), receiver);
        return createChannel(queue, readAll(responses, receiver).finally(end), abort);
      } catch (error) {
        end();
        throw error;
      }
    },
  };
}

async function requireWelcome(responses: AsyncIterator<WorkResponse>): Promise<WorkResponse> {
  const welcome = await nextResponse(responses);
  if (welcome !== undefined) return welcome;
  throw new PawlError("UNREACHABLE", "the server ended the stream before its welcome");
}

function createChannel(
  queue: WorkRequestQueue,
  closed: Promise<void>,
  abort: () => void,
): WorkChannel {
  return {
    completeTurn({ instanceId, token }, outcome) {
      const { actions, customStatus, patches = [], version = "" } = outcome;
      const status = customStatus === undefined ? {} : { customStatus };
      const ran = { patches: [...patches], version };
      const result = { instanceId, token, actions: [...actions], ...ran, ...status };
      queue.pushTurn(withinLimit(create(TurnResultSchema, result)));
    },
    missTurn({ instanceId, token }) {
      queue.pushTurn(create(TurnResultSchema, { instanceId, token, cacheMiss: true }));
    },
    completeActivity({ instanceId, taskId, token }, outcome) {
      const result =
        "failure" in outcome
          ? { failure: toFailureMessage(failureWithinLimit(outcome.failure)) }
          : outcome.output === undefined
            ? {}
            : { output: outcome.output };
      queue.pushActivity(create(ActivityResultSchema, { instanceId, taskId, token, ...result }));
    },
    evict: (instanceId) => queue.pushEvicted(instanceId),
    async close() {
      queue.end();
      const timer = setTimeout(abort, closeWaitMs);
      await closed.catch(() => {});
      clearTimeout(timer);
    },
    closed,
  };
}

/**
 * A turn that the server would refuse to read would break the stream for every instance: it fails
 * its own instance instead.
 */
function withinLimit(result: TurnResult): TurnResult {
  const count = result.actions.length;
  if (count > limits.turnActions) {
    // In the engine's words, which would come too late: of many more not even the message is read.
    const message = `a turn asked for ${count} actions; at most ${limits.turnActions} are allowed`;
    return failed(result, { type: "InvalidAction", message, nonRetriable: true });
  }
  const estimate = result.actions.reduce((sum, action) => {
    return sum + actionBytes + 3 * payloadLength(action);
  }, 0);
  if (estimate <= resultBytes || toBinary(TurnResultSchema, result).length <= resultBytes)
    return result;
  const message = `a turn may ask for at most ${resultBytes} bytes; use fewer calls or smaller inputs`;
  return failed(result, { type: "PayloadTooLarge", message, nonRetriable: true });
}

function failed(result: TurnResult, failure: Failure): TurnResult {
  const id = (result.actions.at(-1)?.id ?? 0) + 1;
  result.actions = [completionAction({ kind: "failed", id, failure }, [])];
  return result;
}

/** Likewise the failure of an activity, which its own code words. */
function failureWithinLimit(failure: Failure): Failure {
  const length = failureLength(failure);
  if (3 * length <= resultBytes) return failure;
  const message = `the failure of the activity has ${length} characters; at most ${limits.payloadBytes} bytes are allowed: keep large data elsewhere and pass a reference`;
  return { type: "PayloadTooLarge", message, nonRetriable: true };
}

async function readAll(
  responses: AsyncIterator<WorkResponse>,
  receiver: WorkReceiver,
): Promise<void> {
  for (;;) {
    const response = await nextResponse(responses);
    if (response === undefined) return;
    deliver(response, receiver);
  }
}

async function nextResponse(
  responses: AsyncIterator<WorkResponse>,
): Promise<WorkResponse | undefined> {
  try {
    const next = await responses.next();
    return next.done === true ? undefined : next.value;
  } catch (error) {
    throw toPawlError(error);
  }
}

function deliver(response: WorkResponse, receiver: WorkReceiver): void {
  for (const instanceId of response.releasedInstanceIds) receiver.release(instanceId);
  for (const turn of response.turns) receiver.turn(turnOf(turn));
  for (const activity of response.activities) receiver.activity(taskOf(activity));
}

function turnOf(message: TurnMessage): Turn {
  return {
    instanceId: message.instanceId,
    executionId: message.executionId,
    workflow: message.workflow,
    token: message.token,
    isCached: message.cached,
    past: () => message.pastEvents,
    events: message.newEvents,
  };
}

function taskOf(message: ActivityTaskMessage): ActivityTask {
  return {
    instanceId: message.instanceId,
    executionId: message.executionId,
    taskId: message.taskId,
    name: message.activity,
    input: message.input,
    token: message.token,
    taskExecutionId: message.taskExecutionId,
    ...(message.traceParent === "" ? {} : { traceParent: message.traceParent }),
    ...(message.traceState === "" ? {} : { traceState: message.traceState }),
  };
}
