// SPDX-License-Identifier: Apache-2.0

import {
  type ConnectedWorker,
  EngineError,
  type FeedItem,
  type Instance,
  type InstanceChange,
  type WorkerRegistration,
  type WorkerSession,
  type WorkItem,
} from "@pawl/engine";
import type { ServedEngine } from "../../options.js";
import { requireRule } from "../admission.js";
import { currentAccess } from "./access-context.js";
import { guardBatches } from "./guarded-batches.js";
import { HandedItems } from "./handed-items.js";
import type { Policy } from "./policy.js";

/** Whether the request at hand may touch instances of a workflow. */
type Allows = (workflow: string) => boolean;

/**
 * An engine that shows each caller only what a policy lets it see: every way in goes through here, so
 * that no handler has to think of it. An instance that a caller may not touch is, to that caller, one
 * that does not exist. What a request may do follows from its operation, whatever it asks of the
 * engine on the way.
 *
 * @param policy the policy as it is at that moment
 */
export function guardEngine(engine: ServedEngine, policy: () => Policy): ServedEngine {
  const sees = async (instanceId: string, allows: Allows): Promise<boolean> => {
    const instance = await engine.get(instanceId, { payloads: false });
    return instance !== undefined && allows(instance.workflow);
  };
  /** Runs a command on an instance that the caller may touch. */
  const onVisible = async <T>(instanceId: string, run: () => Promise<T>): Promise<T> => {
    const allows = allowsNow(policy);
    if (!(await sees(instanceId, allows))) {
      throw notFound(instanceId);
    }
    return run();
  };
  const waitUntil: ServedEngine["waitUntil"] = (instanceId, until, options) => {
    const allows = allowsNow(policy);
    const seen = (instance: Instance): boolean => allows(instance.workflow) && until(instance);
    return engine.waitUntil(instanceId, seen, options);
  };
  return {
    ...lifeOf(engine, policy),
    ...guardWorkers(engine, policy),
    ...guardBatches(engine, policy),
    async start(command) {
      if (!allowsNow(policy)(command.workflow)) {
        throw unknownWorkflow(command.workflow);
      }
      return engine.start(command);
    },
    async get(instanceId, options) {
      const allows = allowsNow(policy);
      const instance = await engine.get(instanceId, options);
      return instance !== undefined && allows(instance.workflow) ? instance : undefined;
    },
    waitForStart: (id, options) => waitUntil(id, ({ status }) => status !== "pending", options),
    waitForCompletion: (id, options) =>
      waitUntil(id, ({ completedAt }) => completedAt !== undefined, options),
    waitUntil,
    raiseEvent: (id, name, input) => onVisible(id, () => engine.raiseEvent(id, name, input)),
    suspend: (id, reason) => onVisible(id, () => engine.suspend(id, reason)),
    resume: (id, reason) => onVisible(id, () => engine.resume(id, reason)),
    terminate: (id, options) => onVisible(id, () => engine.terminate(id, options)),
    purge: (id, options) => onVisible(id, () => engine.purge(id, options)),
    rerun: (id, command) => onVisible(id, () => engine.rerun(id, command)),
    async workers() {
      const allows = allowsNow(policy);
      return (await engine.workers()).flatMap((worker) => visibleWorker(worker, allows));
    },
    explain: (id) => onVisible(id, () => engine.explain(id)),
    async history(id, options) {
      // An older execution may be of another workflow.
      const execution = await engine.get(id, { payloads: false, ...options });
      if (execution === undefined || !allowsNow(policy)(execution.workflow)) {
        throw notFound(id);
      }
      return engine.history(id, options);
    },
    ...guardLists(engine, policy),
    ...guardWatches(engine, policy),
  };
}

/** Pages: what a caller may not see is not in them. */
function guardLists(
  engine: ServedEngine,
  policy: () => Policy,
): Pick<ServedEngine, "executions" | "list"> {
  return {
    async executions(id, query) {
      const allows = allowsNow(policy);
      const page = await engine.executions(id, query);
      return { ...page, instances: page.instances.filter(({ workflow }) => allows(workflow)) };
    },
    async list(query) {
      const allows = allowsNow(policy);
      const page = await engine.list(query);
      return { ...page, instances: page.instances.filter(({ workflow }) => allows(workflow)) };
    },
  };
}

/** Streams of changes, likewise. */
function guardWatches(
  engine: ServedEngine,
  policy: () => Policy,
): Pick<ServedEngine, "watch" | "watchAll"> {
  return {
    watch(id, options) {
      const allows = allowsNow(policy);
      return watchVisible(engine, id, options, allows);
    },
    watchAll(filter, options) {
      const access = currentAccess();
      const { operation } = access ?? {};
      const seesAll = (): boolean =>
        operation !== undefined &&
        access !== undefined &&
        policy().allowsEvery(access.caller, operation);
      return feedVisible(engine.watchAll(filter, options), allowsNow(policy), seesAll);
    },
  };
}

/** What is the same for everybody, or is for those that some rule names. */
function lifeOf(
  engine: ServedEngine,
  policy: () => Policy,
): Pick<ServedEngine, "workerCount" | "isReady" | "onReadyChange" | "close" | "backup"> {
  return {
    workerCount: () => engine.workerCount(),
    isReady: () => engine.isReady(),
    onReadyChange: (callback) => engine.onReadyChange(callback),
    close: () => engine.close(),
    backup() {
      const access = currentAccess();
      // The gate has asked for a rule of any component; it must be one of this.
      if (access?.operation !== undefined) requireRule(policy(), access.caller, access.operation);
      return engine.backup();
    },
  };
}

/** The workers' side: who connects may run what it announces, and gives results of its own items only. */
function guardWorkers(
  engine: ServedEngine,
  policy: () => Policy,
): Pick<ServedEngine, "connectWorker" | "completeTurn" | "completeActivity"> {
  const handed = new HandedItems();
  return {
    connectWorker(registration, deliver, release): WorkerSession {
      requireAnnounced(policy(), registration);
      const items = handed.open(callerKey());
      const session = engine.connectWorker(
        registration,
        (item: WorkItem) => {
          items.add(item);
          deliver(item);
        },
        release,
      );
      return {
        workerId: session.workerId,
        evict: (ids) => session.evict(ids),
        returnTurn: (id, token) => session.returnTurn(id, token),
        close() {
          items.close();
          session.close();
        },
      };
    },
    // What a caller was not given is stale to it: it changes nothing and is no error.
    async completeTurn(completion) {
      if (handed.takeTurn(callerKey(), completion)) {
        await engine.completeTurn(completion);
      }
    },
    async completeActivity(completion) {
      if (handed.takeActivity(callerKey(), completion)) {
        await engine.completeActivity(completion);
      }
    },
  };
}

/**
 * A worker without the workflows that the caller may not know of; not at all when it has no others.
 */
function visibleWorker(worker: ConnectedWorker, allows: Allows): ConnectedWorker[] {
  const { workflows } = worker;
  if (workflows === undefined || workflows.length === 0) return [worker];
  const visible = workflows.filter(allows);
  return visible.length === 0 ? [] : [{ ...worker, workflows: visible }];
}

async function* watchVisible(
  engine: ServedEngine,
  instanceId: string,
  options: Parameters<ServedEngine["watch"]>[1],
  allows: Allows,
): AsyncGenerator<InstanceChange, void> {
  const instance = await engine.get(instanceId, { payloads: false });
  if (instance === undefined || !allows(instance.workflow)) {
    throw notFound(instanceId);
  }
  for await (const change of engine.watch(instanceId, options)) {
    if (!allows(change.instance.workflow)) {
      return;
    }
    yield change;
  }
}

/** Of what was purged only the id is left: that is for those who may see every workflow. */
async function* feedVisible(
  feed: AsyncIterable<FeedItem>,
  allows: Allows,
  seesAll: () => boolean,
): AsyncGenerator<FeedItem, void> {
  for await (const item of feed) {
    const isVisible =
      item.kind === "changed"
        ? allows(item.instance.workflow)
        : item.kind !== "purged" || seesAll();
    if (isVisible) {
      yield item;
    }
  }
}

/** The decision on workflows for the request at hand; outside of one, none is allowed. */
function allowsNow(policy: () => Policy): Allows {
  const access = currentAccess();
  return (workflow) =>
    access?.operation !== undefined && policy().allows(access.caller, access.operation, workflow);
}

function callerKey(): string {
  return currentAccess()?.caller.names.join("\n") ?? "";
}

/**
 * A worker that announces names must be allowed each; one that announces none is offered every
 * workflow, and must be allowed every one.
 */
function requireAnnounced(policy: Policy, { workflows }: WorkerRegistration): void {
  const access = currentAccess();
  if (access?.operation === undefined) {
    throw new EngineError("PERMISSION_DENIED", "nobody may work outside of a request");
  }
  const { caller, operation } = access;
  if (workflows === undefined && !policy.allowsEvery(caller, operation)) {
    throw new EngineError(
      "PERMISSION_DENIED",
      `a worker that does not say which workflows it runs is offered all; the policy has no rule for ${caller.names.join(", ")} with "work" and the workflow "*"`,
    );
  }
  if (!policy.allowsSome(caller, operation)) {
    throw new EngineError(
      "PERMISSION_DENIED",
      `the policy has no rule for ${caller.names.join(", ")} with "work"`,
    );
  }
  const denied = workflows?.find((workflow) => !policy.allows(caller, operation, workflow));
  if (denied !== undefined) {
    throw unknownWorkflow(denied);
  }
}

/** As the engine says it of an id that nobody has. */
function notFound(instanceId: string): EngineError {
  return new EngineError("INSTANCE_NOT_FOUND", `no such instance exists: '${instanceId}'`, {
    details: { instanceId },
  });
}

function unknownWorkflow(workflow: string): EngineError {
  return new EngineError("WORKFLOW_NOT_FOUND", `no workflow has the name "${workflow}"`, {
    details: { workflow },
  });
}
