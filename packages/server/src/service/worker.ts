// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  EngineError,
  type WorkerPort,
  type WorkerRegistration,
  type WorkerSession,
  type WorkItem,
} from "@pawl/engine";
import {
  type WorkerAnnouncement,
  WorkerAnnouncementSchema,
  type WorkerService,
  type WorkRequest,
  type WorkResponse,
  WorkResponseSchema,
} from "@pawl/protocol";
import { validateMessage } from "../interceptor/validate.js";
import type { ServerLogger } from "../options.js";
import { isJsonCall } from "./json-call.js";
import { toActivityTask } from "./message/activity.js";
import { toActivityCompletion, toTurnCompletion } from "./message/completion.js";
import { addTurns, encodeTurn } from "./message/turn.js";
import { WorkStream } from "./work-stream.js";

/** Bytes of turns after which a message is sent off rather than filled further. */
const messageBytes = 1024 * 1024;

/** `pawl.v1.WorkerService`: one bidirectional stream per worker. */
export function createWorkerService(
  workers: WorkerPort,
  log: ServerLogger,
): ServiceImpl<typeof WorkerService> {
  return {
    async *work(requests, context) {
      const incoming = requests[Symbol.asyncIterator]();
      const announcement = await readAnnouncement(incoming);
      const connection = new WorkerConnection(workers, announcement, context, log);
      yield* connection.run(incoming);
    },
  };
}

async function readAnnouncement(incoming: AsyncIterator<WorkRequest>): Promise<WorkerAnnouncement> {
  const first = await incoming.next();
  const announcement = first.done === true ? undefined : first.value.announcement;
  if (announcement === undefined) {
    throw new EngineError("INVALID_ARGUMENT", "the first message must have an announcement");
  }
  validateMessage(WorkerAnnouncementSchema, announcement);
  return announcement;
}

/** One connected worker, from its announcement to the end of its stream. */
class WorkerConnection {
  readonly #workers: WorkerPort;
  readonly #context: HandlerContext;
  readonly #log: ServerLogger;
  readonly #session: WorkerSession;
  readonly #output = new WorkStream<WorkItem | { readonly released: string }>();
  #failure: unknown;

  constructor(
    workers: WorkerPort,
    announcement: WorkerAnnouncement,
    context: HandlerContext,
    log: ServerLogger,
  ) {
    this.#workers = workers;
    this.#context = context;
    this.#log = log;
    this.#session = workers.connectWorker(
      toRegistration(announcement, context),
      (item) => this.#output.push(item),
      (instanceId) => this.#output.push({ released: instanceId }),
    );
    const { name, workflows, activities } = announcement;
    const workerId = this.#session.workerId;
    const counts = { workflows: workflows.length, activities: activities.length };
    log.info({ workerId, name, ...counts }, "worker connected");
  }

  /** Sends items until the worker leaves or the call is given up. */
  async *run(incoming: AsyncIterator<WorkRequest>): AsyncGenerator<WorkResponse> {
    const { signal } = this.#context;
    const end = (): void => {
      // At once, not when the generator gets to it: its items belong to other workers now.
      this.#session.close();
      this.#output.end();
    };
    signal.addEventListener("abort", end);
    if (signal.aborted) {
      end();
    }
    try {
      const workerId = this.#session.workerId;
      yield create(WorkResponseSchema, { welcome: { workerId } });
      void this.#readResults(incoming).finally(end);
      const json = isJsonCall(this.#context);
      for (let items = await this.#output.take(); items; items = await this.#output.take()) {
        yield* toMessages(items, json);
      }
      if (this.#failure !== undefined) {
        throw this.#failure;
      }
    } finally {
      signal.removeEventListener("abort", end);
      end();
      this.#log.info({ workerId: this.#session.workerId }, "worker disconnected");
    }
  }

  async #readResults(incoming: AsyncIterator<WorkRequest>): Promise<void> {
    try {
      for (let next = await incoming.next(); next.done !== true; next = await incoming.next()) {
        this.#takeResults(next.value);
      }
    } catch (error) {
      this.#failure = error;
    }
  }

  /** Hands results on and reads further at once: the engine answers when they are on disk. */
  #takeResults(request: WorkRequest): void {
    for (const turn of request.turns) {
      if (turn.cacheMiss) {
        this.#session.returnTurn(turn.instanceId, turn.token);
      } else {
        this.#settle(this.#workers.completeTurn(toTurnCompletion(turn)));
      }
    }
    for (const activity of request.activities) {
      this.#settle(this.#workers.completeActivity(toActivityCompletion(activity)));
    }
    if (request.evictedInstanceIds.length > 0) {
      this.#session.evict(request.evictedInstanceIds);
    }
  }

  /** A result that was not taken ends the stream, so that its item is handed out again. */
  #settle(taken: Promise<void>): void {
    taken.catch((error: unknown) => {
      this.#failure ??= error;
      this.#session.close();
      this.#output.end();
    });
  }
}

function toRegistration(
  announcement: WorkerAnnouncement,
  { protocolName }: HandlerContext,
): WorkerRegistration {
  const { name, workflows, activities, turnLimit, activityLimit } = announcement;
  return {
    name,
    kind: "pawl",
    protocol: protocolName,
    workflows,
    activities,
    cache: announcement.cachesInstances ? "result" : "none",
    ...(turnLimit === 0 ? {} : { turnLimit }),
    ...(activityLimit === 0 ? {} : { activityLimit }),
  };
}

/** Puts items that are ready together into one message, and large ones into several. */
function* toMessages(
  items: readonly (WorkItem | { readonly released: string })[],
  json: boolean,
): Generator<WorkResponse> {
  let turns: Uint8Array[] = [];
  let turnBytes = 0;
  let message = create(WorkResponseSchema);
  for (const item of items) {
    if ("released" in item) {
      message.releasedInstanceIds.push(item.released);
    } else if (item.kind === "activity") {
      message.activities.push(toActivityTask(item));
    } else {
      const turn = encodeTurn(item);
      turns.push(turn);
      turnBytes += turn.byteLength;
    }
    if (turnBytes >= messageBytes) {
      yield addTurns(message, turns, json);
      message = create(WorkResponseSchema);
      turns = [];
      turnBytes = 0;
    }
  }
  yield addTurns(message, turns, json);
}
