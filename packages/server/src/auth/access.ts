// SPDX-License-Identifier: Apache-2.0

import type { DescService } from "@bufbuild/protobuf";
import {
  AdminService,
  BatchService,
  CallService,
  Dapr,
  Health,
  ServerReflection,
  ServerReflectionAlpha,
  TaskHubSidecarService,
  WorkerService,
  WorkflowService,
} from "@pawl/protocol";
import type { Operation } from "./operation.js";

/** The operation of every method of a service, by the method's local name. */
type MethodOperations<Service extends DescService> = {
  readonly [Method in keyof Service["method"]]: Operation;
};

/** What every RPC asks for. A method without a line does not compile. */
const table = [
  declare(WorkflowService, {
    startInstance: "start",
    getInstance: "get",
    waitForInstanceStart: "wait",
    waitForInstanceCompletion: "wait",
    raiseEvent: "raise-event",
    suspendInstance: "suspend",
    resumeInstance: "resume",
    terminateInstance: "terminate",
    purgeInstance: "purge",
    rerunInstance: "rerun",
    listInstances: "list",
    explainInstance: "get",
    listWorkers: "list",
    listInstanceExecutions: "get",
    getInstanceHistory: "history",
    watchInstance: "watch",
    watchInstances: "list",
  }),
  declare(BatchService, {
    startBatch: "start-batch",
    getBatch: "list",
    listBatches: "list",
    cancelBatch: "cancel-batch",
  }),
  declare(CallService, { call: "call" }),
  declare(WorkerService, { work: "work" }),
  declare(AdminService, { backup: "backup" }),
  declare(TaskHubSidecarService, {
    hello: "describe",
    startInstance: "start",
    getInstance: "get",
    waitForInstanceStart: "wait",
    waitForInstanceCompletion: "wait",
    raiseEvent: "raise-event",
    terminateInstance: "terminate",
    suspendInstance: "suspend",
    resumeInstance: "resume",
    purgeInstances: "purge",
    getWorkItems: "work",
    completeActivityTask: "work",
    completeOrchestratorTask: "work",
    completeWorkflowTask: "work",
    rerunWorkflowFromEvent: "rerun",
    listInstanceIDs: "list",
    getInstanceHistory: "history",
  }),
  declare(Dapr, {
    getMetadata: "describe",
    setMetadata: "set-metadata",
    startWorkflowAlpha1: "start",
    getWorkflowAlpha1: "get",
    purgeWorkflowAlpha1: "purge",
    terminateWorkflowAlpha1: "terminate",
    pauseWorkflowAlpha1: "suspend",
    resumeWorkflowAlpha1: "resume",
    raiseEventWorkflowAlpha1: "raise-event",
    startWorkflowBeta1: "start",
    getWorkflowBeta1: "get",
    purgeWorkflowBeta1: "purge",
    terminateWorkflowBeta1: "terminate",
    pauseWorkflowBeta1: "suspend",
    resumeWorkflowBeta1: "resume",
    raiseEventWorkflowBeta1: "raise-event",
  }),
  declare(Health, { check: "health", watch: "health" }),
  declare(ServerReflection, { serverReflectionInfo: "describe" }),
  declare(ServerReflectionAlpha, { serverReflectionInfo: "describe" }),
];

/** The services that are served, each in Connect, gRPC and gRPC-Web, at `/{service}/{method}`. */
export const services: readonly DescService[] = table.map(({ service }) => service);

/** Paths of RPCs whose requests are streams, which may go on for ever. */
export const openEndedPaths: ReadonlySet<string> = new Set(
  services.flatMap(({ typeName, methods }) =>
    methods
      .filter(({ methodKind }) => /^(client|bidi)_streaming$/.test(methodKind))
      .map(({ name }) => `/${typeName}/${name}`),
  ),
);

/** The operation of every RPC, by its path. */
export const rpcOperations: ReadonlyMap<string, Operation> = new Map(
  table.flatMap(({ paths }) => paths),
);

function declare<Service extends DescService>(
  service: Service,
  methods: MethodOperations<Service>,
): { service: DescService; paths: [string, Operation][] } {
  const names: Readonly<Record<string, { readonly name: string }>> = service.method;
  const named: Readonly<Record<string, Operation>> = methods;
  const paths = Object.entries(named).map(([localName, operation]): [string, Operation] => [
    `/${service.typeName}/${names[localName]?.name ?? ""}`,
    operation,
  ]);
  return { service, paths };
}
