// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { WorkerPort, WorkerRegistration, WorkItem } from "@pawl/engine";
import { limits } from "@pawl/protocol";
import {
  type GetWorkItemsRequest,
  WorkerCapability,
  type WorkItem as WorkItemMessage,
  WorkItemSchema,
} from "@pawl/protocol/task-hub";
import type { ServerLogger } from "../options.js";
import { sendHeaders } from "../rpc/early-headers.js";
import { encodedMessage, takesEncoded } from "../rpc/encoded-message.js";
import { shuttingDown } from "../rpc/reason.js";
import { isJsonCall } from "./json-call.js";
import { encodeActivityWorkItem, toActivityWorkItem } from "./message/activity.js";
import { readWorkerHints, toMicrosoftPing, type WorkerHints } from "./message/microsoft.js";
import { encodeTurnWorkItem, toTurnWorkItem } from "./message/turn.js";
import { WorkStream } from "./work-stream.js";

/** Milliseconds between signs of life on a stream whose worker asked for them. */
const healthPingMs = 30_000;

/**
 * Turns, and activities, that a worker without capabilities gets at once. Dapr's JavaScript worker
 * announces none and silently drops what comes when 10 items are at work and 100 are queued (worker
 * protocol 5), so that the two together must stay below 110.
 */
const plainWorkerLimit = 50;

/** How a stream of work items is served. */
export interface WorkItemOptions {
  readonly log: ServerLogger;
  /** End it as Dapr does, where its worker is one that connects again after that. */
  readonly strict: boolean;
}

/** Answers GetWorkItems: a stream of work items until the worker leaves. */
export async function* streamWorkItems(
  workers: WorkerPort,
  request: GetWorkItemsRequest,
  context: HandlerContext,
  { log, strict }: WorkItemOptions,
): AsyncGenerator<WorkItemMessage> {
  const { signal } = context;
  const output = new WorkStream<WorkItem | "ping">();
  const session = workers.connectWorker(toRegistration(request, context), (item) =>
    output.push(item),
  );
  const { workerId } = session;
  const isMicrosoft = hintsOf(request, context).isMicrosoft;
  const ping = startPings(request, output, isMicrosoft);
  const end = (): void => {
    // At once, not when the generator gets to it: its items belong to other workers now.
    session.close();
    output.end();
  };
  signal.addEventListener("abort", end);
  if (signal.aborted) {
    end();
  }
  log.info({ workerId, capabilities: request.capabilities }, "worker connected");
  try {
    sendHeaders(context);
    const toMessage = takesEncoded(context) ? toEncodedMessage : plainMessage(isJsonCall(context));
    for (let items = await output.take(); items; items = await output.take()) {
      for (const item of items) {
        yield item === "ping" ? pingOf(isMicrosoft) : toMessage(inDialect(item, isMicrosoft));
      }
    }
    // A server that stops ends the stream with OK: every SDK connects again after that, and Dapr's
    // JavaScript worker, which announces nothing, after nothing else.
    if (strict && request.capabilities.length > 0 && signal.reason === shuttingDown) {
      throw new ConnectError(shuttingDown.rawMessage, Code.Canceled);
    }
  } finally {
    signal.removeEventListener("abort", end);
    clearInterval(ping);
    end();
    log.info({ workerId }, "worker disconnected");
  }
}

function toRegistration(request: GetWorkItemsRequest, context: HandlerContext): WorkerRegistration {
  const { capabilities } = request;
  const { isMicrosoft: _, ...hints } = hintsOf(request, context);
  const name = context.requestHeader.get("user-agent") ?? "";
  const keepsHistory = capabilities.includes(WorkerCapability.STATEFUL_HISTORY);
  return {
    name,
    kind: "durable-task",
    protocol: context.protocolName,
    turnBytes: limits.sidecarTurnBytes,
    cache: keepsHistory ? "past" : "none",
    // Dapr's .NET worker answers a workflow that it does not have by no actions (docs/workers.md).
    isSilent: name.includes("dapr-sdk-dotnet"),
    ...(capabilities.length === 0
      ? { turnLimit: plainWorkerLimit, activityLimit: plainWorkerLimit }
      : {}),
    ...hints,
  };
}

function hintsOf(request: GetWorkItemsRequest, context: HandlerContext): WorkerHints {
  return readWorkerHints(request, context.requestHeader.get("user-agent") ?? "");
}

function startPings(
  request: GetWorkItemsRequest,
  output: WorkStream<WorkItem | "ping">,
  isMicrosoft: boolean,
): NodeJS.Timeout | undefined {
  return isMicrosoft || request.capabilities.includes(WorkerCapability.HEALTH_PING)
    ? setInterval(() => output.push("ping"), healthPingMs).unref()
    : undefined;
}

function pingOf(isMicrosoft: boolean): WorkItemMessage {
  return isMicrosoft
    ? toMicrosoftPing()
    : create(WorkItemSchema, { request: { case: "healthPing", value: {} } });
}

/** Microsoft's workers know other fields by some numbers of Dapr's (service/message/microsoft.ts). */
function inDialect(item: WorkItem, isMicrosoft: boolean): WorkItem {
  if (!isMicrosoft) return item;
  const { propagated: _, ...rest } = item;
  return rest.kind === "turn" ? rest : { ...rest, taskExecutionId: "" };
}

function plainMessage(json: boolean): (item: WorkItem) => WorkItemMessage {
  return (item) => (item.kind === "turn" ? toTurnWorkItem(item, json) : toActivityWorkItem(item));
}

function toEncodedMessage(item: WorkItem): WorkItemMessage {
  const bytes = item.kind === "turn" ? encodeTurnWorkItem(item) : encodeActivityWorkItem(item);
  return encodedMessage(WorkItemSchema, bytes);
}
