// SPDX-License-Identifier: Apache-2.0

// The one list of what a caller can ask for: every method of every service, with a valid request. A
// method without a line does not compile, and fails the test.

import type { DescMethod, DescService, JsonObject } from "@bufbuild/protobuf";
import {
  AdminService,
  BatchService,
  CallService,
  Dapr,
  type ErrorCode,
  Health,
  ServerReflection,
  ServerReflectionAlpha,
  TaskHubSidecarService,
  WorkerService,
  WorkflowService,
} from "@pawl/protocol";
import type { DaprOperation } from "../../src/error-map.js";

/** How one method is asked. */
export interface Row {
  /** A valid request, in JSON's form. */
  readonly request: JsonObject;
  /** Why it never comes to the engine. Absent when it does. */
  readonly local?: string;
  /** Codes that Dapr has others for, with those. */
  readonly renamed?: Partial<Record<ErrorCode, ErrorCode>>;
  /** The operation of Dapr's API that its failures are worded as. */
  readonly dapr?: DaprOperation;
}

/** A method with its row. */
export interface Operation extends Row {
  readonly name: string;
  readonly method: DescMethod;
}

type Rows<Service extends DescService> = {
  readonly [Method in keyof Service["method"]]: Row;
};

const one = { instanceId: "one" };
const dapr = (operation: DaprOperation, more: JsonObject = {}): Row => ({
  request: { instanceID: "one", ...more },
  dapr: operation,
});
const engine = (request: JsonObject = {}): Row => ({ request });
const local = (why: string, request: JsonObject = {}): Row => ({ request, local: why });

const daprStart = dapr("start", { workflowName: "order" });
const daprRaise = dapr("raiseEvent", { eventName: "paid" });

/** Every method of every service that the server has. */
export const operations: readonly Operation[] = [
  ...rows(WorkflowService, {
    startInstance: engine({ workflow: "order" }),
    getInstance: engine(one),
    waitForInstanceStart: engine(one),
    waitForInstanceCompletion: engine(one),
    raiseEvent: engine({ ...one, name: "paid" }),
    suspendInstance: engine(one),
    resumeInstance: engine(one),
    terminateInstance: engine(one),
    purgeInstance: engine(one),
    listInstances: engine(),
    explainInstance: engine(one),
    listWorkers: engine(),
    rerunInstance: engine({ ...one, eventId: 0 }),
    listInstanceExecutions: engine(one),
    getInstanceHistory: engine(one),
    watchInstance: engine(one),
    watchInstances: engine(),
  }),
  ...rows(BatchService, {
    startBatch: engine({ action: "BATCH_ACTION_PURGE", filter: { workflow: "order" } }),
    getBatch: engine({ batchId: "one" }),
    listBatches: engine(),
    cancelBatch: engine({ batchId: "one" }),
  }),
  ...rows(CallService, { call: local("each call on it has an answer of its own") }),
  ...rows(WorkerService, {
    work: engine({ announcement: { name: "w", turnLimit: 1, activityLimit: 1 } }),
  }),
  ...rows(AdminService, { backup: engine() }),
  ...rows(TaskHubSidecarService, {
    hello: local("a sign of life must not depend on the store"),
    startInstance: engine({ ...one, name: "order" }),
    getInstance: engine(one),
    waitForInstanceStart: engine(one),
    waitForInstanceCompletion: engine(one),
    raiseEvent: engine({ ...one, name: "paid" }),
    terminateInstance: engine(one),
    suspendInstance: engine(one),
    resumeInstance: engine(one),
    purgeInstances: engine(one),
    getWorkItems: engine(),
    completeActivityTask: engine(one),
    completeOrchestratorTask: engine(one),
    completeWorkflowTask: engine(one),
    rerunWorkflowFromEvent: {
      request: { sourceInstanceID: "one", eventID: 0 },
      renamed: { INSTANCE_NOT_ENDED: "INVALID_ARGUMENT" },
    },
    listInstanceIDs: engine(),
    getInstanceHistory: engine(one),
  }),
  ...rows(Dapr, {
    startWorkflowAlpha1: daprStart,
    startWorkflowBeta1: daprStart,
    getWorkflowAlpha1: dapr("get"),
    getWorkflowBeta1: dapr("get"),
    raiseEventWorkflowAlpha1: daprRaise,
    raiseEventWorkflowBeta1: daprRaise,
    terminateWorkflowAlpha1: dapr("terminate"),
    terminateWorkflowBeta1: dapr("terminate"),
    pauseWorkflowAlpha1: dapr("pause"),
    pauseWorkflowBeta1: dapr("pause"),
    resumeWorkflowAlpha1: dapr("resume"),
    resumeWorkflowBeta1: dapr("resume"),
    purgeWorkflowAlpha1: dapr("purge"),
    purgeWorkflowBeta1: dapr("purge"),
    getMetadata: local("is the server's own"),
    setMetadata: local("is the server's own", { key: "team", value: "x" }),
  }),
  ...rows(Health, {
    check: local("says whether the engine is ready"),
    watch: local("says whether the engine is ready"),
  }),
  ...rows(ServerReflection, { serverReflectionInfo: local("is about descriptors") }),
  ...rows(ServerReflectionAlpha, { serverReflectionInfo: local("is about descriptors") }),
];

function rows<Service extends DescService>(service: Service, table: Rows<Service>): Operation[] {
  const byName = new Map<string, Row>(Object.entries(table));
  return service.methods.map((method) => {
    const row = byName.get(method.localName);
    if (row === undefined) {
      throw new Error(`${service.typeName}/${method.name} has no row`);
    }
    return { ...row, method, name: `${service.typeName}/${method.name}` };
  });
}
