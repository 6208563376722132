// SPDX-License-Identifier: Apache-2.0

import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import {
  Dapr,
  Health,
  ServerReflection,
  ServerReflectionAlpha,
  TaskHubSidecarService,
  WorkerService,
  WorkflowService,
} from "@pawl/protocol";
import type { DaprWorkflows } from "./dapr/workflows.js";
import { workerLimits } from "./interceptor/limit.js";
import { createRequestValidation } from "./interceptor/validate.js";
import type { ServerMetadata } from "./metadata.js";
import type { ServedEngine, ServerLogger } from "./options.js";
import { getHealth, getOutboundHealth } from "./rest/health.js";
import { getMetadata, putMetadata } from "./rest/metadata.js";
import type { RestRoute } from "./rest/router.js";
import { controlWorkflow, getWorkflow, raiseEvent, startWorkflow } from "./rest/workflow.js";
import { createDaprService } from "./service/dapr.js";
import { DescriptorIndex } from "./service/descriptor-index.js";
import { createHealthService } from "./service/health.js";
import { createReflectionAlphaService, createReflectionService } from "./service/reflection.js";
import { createTaskHubService } from "./service/task-hub.js";
import { createWorkerService } from "./service/worker.js";
import { createWorkflowService } from "./service/workflow.js";

/** What the routes lead to. */
export interface RouteTargets {
  readonly engine: ServedEngine;
  readonly workflows: DaprWorkflows;
  readonly metadata: ServerMetadata;
  readonly appId: string;
  readonly log: ServerLogger;
}

/** Prefixes of Dapr's API. All are served side by side and behave the same. */
const prefixes = ["/v1.0", "/v1.0-beta1", "/v1.0-alpha1"];

/** Every REST path. */
export function restRoutes(targets: RouteTargets): RestRoute[] {
  const { engine, workflows, metadata, appId } = targets;
  const isReady = (): boolean => engine.isReady();
  // biome-ignore format: one line per path
  const workflowRoutes = prefixes.flatMap((prefix): RestRoute[] => {
    const component = `${prefix}/workflows/{component}`;
    return [
      { method: "POST", pattern: `${component}/{name}/start`,              handle: startWorkflow(workflows) },
      { method: "GET",  pattern: `${component}/{id}`,                      handle: getWorkflow(workflows) },
      { method: "POST", pattern: `${component}/{id}/raiseEvent/{event}`,   handle: raiseEvent(workflows) },
      { method: "POST", pattern: `${component}/{id}/terminate`,            handle: controlWorkflow(workflows, "terminate") },
      { method: "POST", pattern: `${component}/{id}/pause`,                handle: controlWorkflow(workflows, "pause") },
      { method: "POST", pattern: `${component}/{id}/resume`,               handle: controlWorkflow(workflows, "resume") },
      { method: "POST", pattern: `${component}/{id}/purge`,                handle: controlWorkflow(workflows, "purge") },
    ];
  });
  // biome-ignore format: one line per path
  return [
    ...workflowRoutes,
    { method: "GET", pattern: "/v1.0/healthz",          handle: getHealth(isReady, appId) },
    { method: "GET", pattern: "/v1.0/healthz/outbound", handle: getOutboundHealth(isReady) },
    { method: "GET", pattern: "/v1.0/metadata",         handle: getMetadata(metadata) },
    { method: "PUT", pattern: "/v1.0/metadata/{key}",   handle: putMetadata(metadata) },
  ];
}

/** The services whose methods are served at `/{service}/{method}`, each in Connect, gRPC and gRPC-Web. */
const services: readonly DescService[] = [
  WorkflowService,
  WorkerService,
  TaskHubSidecarService,
  Dapr,
  Health,
  ServerReflection,
  ServerReflectionAlpha,
];

/** Registers every service. */
export function registerServices(
  router: ConnectRouter,
  targets: RouteTargets,
  interceptors: readonly Interceptor[],
): void {
  const { engine, workflows, metadata, log } = targets;
  const index = new DescriptorIndex(services);
  const checked = { interceptors: [...interceptors, createRequestValidation()] };
  router
    .service(WorkflowService, createWorkflowService(engine), checked)
    .service(WorkerService, createWorkerService(engine, log), workerLimits)
    .service(TaskHubSidecarService, createTaskHubService(engine, log))
    .service(Dapr, createDaprService(workflows, metadata))
    .service(Health, createHealthService(engine, new Set(index.serviceNames)))
    .service(ServerReflection, createReflectionService(index))
    .service(ServerReflectionAlpha, createReflectionAlphaService(index));
}
