// SPDX-License-Identifier: Apache-2.0

import type { Interceptor } from "@connectrpc/connect";
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
import { services } from "./auth/access.js";
import type { AdmitCall } from "./auth/admission.js";
import type { DaprWorkflows } from "./dapr/workflows.js";
import { streamLimits } from "./interceptor/limit.js";
import { createRequestValidation } from "./interceptor/validate.js";
import type { ServerMetadata } from "./metadata.js";
import type { ServedEngine, ServerLogger } from "./options.js";
import {
  getEarly,
  purgeEarly,
  raiseEventEarly,
  resumeEarly,
  suspendEarly,
  terminateEarly,
} from "./rest/early/instance.js";
import { startEarly } from "./rest/early/start.js";
import { byForm, earlyOnly } from "./rest/form.js";
import { getHealth, getOutboundHealth } from "./rest/health.js";
import { getHistory } from "./rest/instance/history.js";
import { listInstances } from "./rest/instance/list.js";
import { waitForInstance } from "./rest/instance/wait.js";
import { watchInstance } from "./rest/instance/watch.js";
import { getMetadata, putMetadata } from "./rest/metadata.js";
import { getOpenApi } from "./rest/openapi/document.js";
import { queryInstances } from "./rest/query/query.js";
import type { RestRoute } from "./rest/router.js";
import { controlWorkflow, getWorkflow, raiseEvent, startWorkflow } from "./rest/workflow.js";
import type { ServiceRouter } from "./rpc/handler.js";
import { createAdminService } from "./service/admin.js";
import { createBatchService } from "./service/batch.js";
import { createCallService } from "./service/call/call-service.js";
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
  /** Serve what Dapr serves as Dapr does, and over REST nothing else. @default false */
  readonly strictDapr: boolean;
  readonly log: ServerLogger;
}

/** Prefixes of Dapr's API. All are served side by side; only the first has the early form too. */
const prefixes = ["/v1.0", "/v1.0-beta1", "/v1.0-alpha1"];

/** Every REST path. */
export function restRoutes(targets: RouteTargets): RestRoute[] {
  const { engine, metadata, appId, strictDapr } = targets;
  const isReady = (): boolean => engine.isReady();
  // biome-ignore format: one line per path
  return [
    ...prefixes.flatMap((prefix) =>
      prefix === "/v1.0" && !strictDapr ? bothForms(targets, prefix) : shippedForm(targets, prefix),
    ),
    ...(strictDapr ? [] : prefixes.flatMap((prefix) => beyondDapr(targets, prefix))),
    ...(strictDapr ? [] : [documentRoute(targets)]),
    { method: "GET", pattern: "/v1.0/healthz",          operation: "health",      handle: getHealth(isReady, appId) },
    { method: "GET", pattern: "/v1.0/healthz/outbound", operation: "health",      handle: getOutboundHealth(isReady) },
    { method: "GET", pattern: "/v1.0/metadata",         operation: "describe",    handle: getMetadata(metadata) },
    { method: "PUT", pattern: "/v1.0/metadata/{key}",   operation: "set-metadata", handle: putMetadata(metadata) },
  ];
}

/** Dapr's workflow API as it is: the component in the path may be any. */
function shippedForm(targets: RouteTargets, prefix: string): RestRoute[] {
  const { workflows, strictDapr } = targets;
  const first = `${prefix}/workflows/{workflowComponent}`;
  // biome-ignore format: one line per path
  return [
    { method: "POST", pattern: `${first}/{workflowName}/start`,                operation: "start",       handle: startWorkflow(workflows, strictDapr) },
    { method: "GET",  pattern: `${first}/{instanceID}`,                        operation: "get",         handle: getWorkflow(workflows, strictDapr) },
    { method: "POST", pattern: `${first}/{instanceID}/raiseEvent/{eventName}`, operation: "raise-event", handle: raiseEvent(workflows, strictDapr) },
    { method: "POST", pattern: `${first}/{instanceID}/terminate`,              operation: "terminate",   handle: controlWorkflow(workflows, "terminate", strictDapr) },
    { method: "POST", pattern: `${first}/{instanceID}/pause`,                  operation: "suspend",     handle: controlWorkflow(workflows, "pause", strictDapr) },
    { method: "POST", pattern: `${first}/{instanceID}/resume`,                 operation: "resume",      handle: controlWorkflow(workflows, "resume", strictDapr) },
    { method: "POST", pattern: `${first}/{instanceID}/purge`,                  operation: "purge",       handle: controlWorkflow(workflows, "purge", strictDapr) },
  ];
}

function documentRoute(targets: RouteTargets): RestRoute {
  const { runtimeVersion } = targets.metadata.read();
  const handle = getOpenApi(() => restRoutes(targets), runtimeVersion);
  return { method: "GET", pattern: "/v1.0/openapi.json", operation: "describe", handle };
}

/** What Dapr's REST API has no path for. */
function beyondDapr({ engine }: RouteTargets, prefix: string): RestRoute[] {
  const first = `${prefix}/workflows/{workflowComponent}`;
  // biome-ignore format: one line per path
  return [
    { method: "GET",  pattern: first,                           operation: "list",    handle: listInstances(engine) },
    { method: "POST", pattern: `${first}/query`,                operation: "list",    handle: queryInstances(engine) },
    { method: "GET",  pattern: `${first}/{instanceID}/history`, operation: "history", handle: getHistory(engine) },
    { method: "GET",  pattern: `${first}/{instanceID}/wait`,    operation: "wait",    handle: waitForInstance(engine) },
    { method: "GET",  pattern: `${first}/{instanceID}/watch`,   operation: "watch",   handle: watchInstance(engine) },
  ];
}

/** The shipped form, and beside it the early one, whose paths begin with a workflow type. */
function bothForms(targets: RouteTargets, prefix: string): RestRoute[] {
  const { engine, workflows } = targets;
  const first = `${prefix}/workflows/{workflowComponent}`;
  // biome-ignore format: one line per path
  return [
    { method: "POST",   pattern: `${first}/{workflowName}/start`,                operation: "start",       handle: byForm(startWorkflow(workflows, false), startEarly(engine)) },
    { method: "GET",    pattern: `${first}/{instanceID}`,                        operation: "get",         handle: byForm(getWorkflow(workflows, false), getEarly(engine)) },
    { method: "POST",   pattern: `${first}/{instanceID}/raiseEvent/{eventName}`, operation: "raise-event", handle: raiseEvent(workflows, false) },
    { method: "POST",   pattern: `${first}/{instanceID}/raiseEvent`,             operation: "raise-event", handle: earlyOnly(raiseEventEarly(engine)) },
    { method: "POST",   pattern: `${first}/{instanceID}/terminate`,              operation: "terminate",   handle: byForm(controlWorkflow(workflows, "terminate", false), terminateEarly(engine)) },
    { method: "POST",   pattern: `${first}/{instanceID}/pause`,                  operation: "suspend",     handle: controlWorkflow(workflows, "pause", false) },
    { method: "POST",   pattern: `${first}/{instanceID}/suspend`,                operation: "suspend",     handle: suspendEarly(engine) },
    { method: "POST",   pattern: `${first}/{instanceID}/resume`,                 operation: "resume",      handle: byForm(controlWorkflow(workflows, "resume", false), resumeEarly(engine)) },
    { method: "POST",   pattern: `${first}/{instanceID}/purge`,                  operation: "purge",       handle: controlWorkflow(workflows, "purge", false) },
    { method: "DELETE", pattern: `${first}/{instanceID}`,                        operation: "purge",       handle: earlyOnly(purgeEarly(engine)) },
  ];
}

/** Registers every service. */
export function registerServices(
  router: ServiceRouter,
  targets: RouteTargets,
  interceptors: readonly Interceptor[],
  openAdmission: () => AdmitCall,
): void {
  const { engine, workflows, metadata, log, strictDapr } = targets;
  const index = new DescriptorIndex(services);
  const checked = { interceptors: [...interceptors, createRequestValidation()] };
  router
    .service(WorkflowService, createWorkflowService(engine), checked)
    .service(BatchService, createBatchService(engine), checked)
    .service(CallService, createCallService(router, openAdmission), streamLimits)
    .service(WorkerService, createWorkerService(engine, log), streamLimits)
    .service(AdminService, createAdminService(engine))
    .service(TaskHubSidecarService, createTaskHubService(engine, log, strictDapr))
    .service(Dapr, createDaprService(workflows, metadata))
    .service(Health, createHealthService(engine, new Set(index.serviceNames)))
    .service(ServerReflection, createReflectionService(index))
    .service(ServerReflectionAlpha, createReflectionAlphaService(index));
}
