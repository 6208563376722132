// SPDX-License-Identifier: Apache-2.0

import type { Interceptor } from "@connectrpc/connect";
import {
  AdminService,
  BatchService,
  CallService,
  Dapr,
  Health,
  limits,
  ServerReflection,
  ServerReflectionAlpha,
  TaskHubSidecarService,
  WorkerService,
  WorkflowService,
} from "@pawl/protocol";
import { services } from "./auth/access.js";
import type { AdmitCall } from "./auth/admission.js";
import { byComponent } from "./component/by-component.js";
import type { Components } from "./component/components.js";
import { builtInName } from "./component/name.js";
import type { CallRules } from "./dapr/call-rules.js";
import type { DaprWorkflows } from "./dapr/workflows.js";
import { streamLimits } from "./interceptor/limit.js";
import { createRequestValidation, isValidRequest } from "./interceptor/validate.js";
import type { ServerMetadata } from "./metadata.js";
import type { ServedEngine, ServerLogger } from "./options.js";
import { inComponent, inEarlyComponent } from "./rest/component.js";
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
import { explainInstance } from "./rest/instance/explain.js";
import { getHistory } from "./rest/instance/history.js";
import { listInstances } from "./rest/instance/list.js";
import { rerunInstance } from "./rest/instance/rerun.js";
import { waitForInstance } from "./rest/instance/wait.js";
import { watchInstance } from "./rest/instance/watch.js";
import { getMetadata, putMetadata } from "./rest/metadata.js";
import { getOpenApi } from "./rest/openapi/document.js";
import { queryInstances } from "./rest/query/query.js";
import type { RestHandler, RestRoute } from "./rest/router.js";
import { getWorkers } from "./rest/workers.js";
import { controlWorkflow, getWorkflow, raiseEvent, startWorkflow } from "./rest/workflow.js";
import type { ServiceRouter } from "./rpc/handler.js";
import { createAdminService } from "./service/admin.js";
import { createBatchService } from "./service/batch.js";
import { createCallService } from "./service/call/call-service.js";
import { createDaprService } from "./service/dapr.js";
import { DescriptorIndex } from "./service/descriptor-index.js";
import { createHealthService } from "./service/health.js";
import { dialectRules } from "./service/message/microsoft.js";
import { createReflectionAlphaService, createReflectionService } from "./service/reflection.js";
import { createTaskHubService } from "./service/task-hub.js";
import { createWorkerService } from "./service/worker.js";
import { createWorkflowService } from "./service/workflow.js";

/** What the routes lead to. */
export interface RouteTargets {
  readonly components: Components;
  readonly workflows: DaprWorkflows;
  readonly metadata: ServerMetadata;
  readonly appId: string;
  /** Serve what Dapr serves as Dapr does, and over REST nothing else. @default false */
  readonly strictDapr: boolean;
  readonly rules: CallRules;
  readonly log: ServerLogger;
}

/** Prefixes of Dapr's API. All are served side by side; only the first has the early form too. */
const earlyPrefix = "/v1.0";
const prefixes = [earlyPrefix, "/v1.0-beta1", "/v1.0-alpha1"];

/** Every REST path. */
export function restRoutes(targets: RouteTargets): RestRoute[] {
  const { components, metadata, appId, strictDapr } = targets;
  // biome-ignore format: one line per path
  return [
    ...prefixes.flatMap((prefix) =>
      prefix === earlyPrefix && !strictDapr ? bothForms(targets, prefix) : shippedForm(targets, prefix),
    ),
    ...(strictDapr ? [] : prefixes.flatMap((prefix) => beyondDapr(targets, prefix))),
    ...(strictDapr ? [] : [documentRoute(targets)]),
    { method: "GET", pattern: "/v1.0/healthz",          operation: "health",      handle: getHealth(components, appId) },
    { method: "GET", pattern: "/v1.0/healthz/outbound", operation: "health",      handle: getOutboundHealth(components) },
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
    { method: "GET",  pattern: `${first}/{instanceID}`,                        operation: "get",         handle: getWorkflow(workflows) },
    { method: "POST", pattern: `${first}/{instanceID}/raiseEvent/{eventName}`, operation: "raise-event", handle: raiseEvent(workflows) },
    { method: "POST", pattern: `${first}/{instanceID}/terminate`,              operation: "terminate",   handle: controlWorkflow(workflows, "terminate") },
    { method: "POST", pattern: `${first}/{instanceID}/pause`,                  operation: "suspend",     handle: controlWorkflow(workflows, "pause") },
    { method: "POST", pattern: `${first}/{instanceID}/resume`,                 operation: "resume",      handle: controlWorkflow(workflows, "resume") },
    { method: "POST", pattern: `${first}/{instanceID}/purge`,                  operation: "purge",       handle: controlWorkflow(workflows, "purge") },
  ];
}

function documentRoute(targets: RouteTargets): RestRoute {
  const handle = getOpenApi(() => restRoutes(targets));
  return { method: "GET", pattern: "/v1.0/openapi.json", operation: "describe", handle };
}

/** What Dapr's REST API has no path for. Of an instance, under the early form's prefix, in both. */
function beyondDapr({ components }: RouteTargets, prefix: string): RestRoute[] {
  const first = `${prefix}/workflows/{workflowComponent}`;
  const one = prefix === earlyPrefix ? inEarlyComponent : inComponent;
  // biome-ignore format: one line per path
  return [
    { method: "GET",  pattern: first,                           operation: "list",    handle: inComponent(components, listInstances) },
    { method: "POST", pattern: `${first}/query`,                operation: "list",    handle: inComponent(components, queryInstances) },
    { method: "GET",  pattern: `${first}/{instanceID}/history`, operation: "history", handle: one(components, getHistory) },
    { method: "GET",  pattern: `${first}/{instanceID}/explain`, operation: "get",     handle: one(components, explainInstance) },
    { method: "POST", pattern: `${first}/{instanceID}/rerun`,   operation: "rerun",   handle: one(components, rerunInstance) },
    { method: "GET",  pattern: `${prefix}/workers`,             operation: "list",    handle: inEarlyComponent(components, getWorkers) },
    { method: "GET",  pattern: `${first}/{instanceID}/wait`,    operation: "wait",    handle: one(components, waitForInstance) },
    { method: "GET",  pattern: `${first}/{instanceID}/watch`,   operation: "watch",   handle: one(components, watchInstance) },
  ];
}

/** The shipped form, and beside it the early one, whose paths begin with a workflow type. */
function bothForms(targets: RouteTargets, prefix: string): RestRoute[] {
  const { components, workflows } = targets;
  const first = `${prefix}/workflows/{workflowComponent}`;
  const early = (create: (engine: ServedEngine) => RestHandler): RestHandler =>
    inEarlyComponent(components, create);
  const both = (shipped: RestHandler, create: (engine: ServedEngine) => RestHandler): RestHandler =>
    byForm(components, shipped, early(create));
  const only = (create: (engine: ServedEngine) => RestHandler): RestHandler =>
    earlyOnly(components, early(create));
  // biome-ignore format: one line per path
  return [
    { method: "POST",   pattern: `${first}/{workflowName}/start`,                operation: "start",       handle: both(startWorkflow(workflows, false), startEarly) },
    { method: "GET",    pattern: `${first}/{instanceID}`,                        operation: "get",         handle: both(getWorkflow(workflows), getEarly) },
    { method: "POST",   pattern: `${first}/{instanceID}/raiseEvent/{eventName}`, operation: "raise-event", handle: raiseEvent(workflows) },
    { method: "POST",   pattern: `${first}/{instanceID}/raiseEvent`,             operation: "raise-event", handle: only(raiseEventEarly) },
    { method: "POST",   pattern: `${first}/{instanceID}/terminate`,              operation: "terminate",   handle: both(controlWorkflow(workflows, "terminate"), terminateEarly) },
    { method: "POST",   pattern: `${first}/{instanceID}/pause`,                  operation: "suspend",     handle: controlWorkflow(workflows, "pause") },
    { method: "POST",   pattern: `${first}/{instanceID}/suspend`,                operation: "suspend",     handle: early(suspendEarly) },
    { method: "POST",   pattern: `${first}/{instanceID}/resume`,                 operation: "resume",      handle: both(controlWorkflow(workflows, "resume"), resumeEarly) },
    { method: "POST",   pattern: `${first}/{instanceID}/purge`,                  operation: "purge",       handle: controlWorkflow(workflows, "purge") },
    { method: "DELETE", pattern: `${first}/{instanceID}`,                        operation: "purge",       handle: only(purgeEarly) },
  ];
}

/** Registers every service. */
export function registerServices(
  router: ServiceRouter,
  targets: RouteTargets,
  interceptors: readonly Interceptor[],
  openAdmission: () => AdmitCall,
): void {
  const { components, workflows, metadata, log, rules, strictDapr: strict } = targets;
  const index = new DescriptorIndex(services);
  const validation = createRequestValidation();
  const checked = {
    interceptors: [...interceptors, validation],
    passes: isValidRequest,
    // Connect leaves out what it does not know: a misspelt condition would let every instance through.
    jsonOptions: { ignoreUnknownFields: false },
  };
  router
    .service(
      WorkflowService,
      byComponent(WorkflowService, components, ({ engine }) => createWorkflowService(engine)),
      checked,
    )
    .service(
      BatchService,
      byComponent(BatchService, components, ({ engine }) => createBatchService(engine)),
      checked,
    )
    .service(CallService, createCallService(router, openAdmission), streamLimits)
    .service(
      WorkerService,
      byComponent(WorkerService, components, ({ engine }) => createWorkerService(engine, log)),
      streamLimits,
    )
    .service(
      AdminService,
      byComponent(AdminService, components, ({ engine, name }) =>
        createAdminService(engine, () => (name === builtInName ? components.others() : [])),
      ),
    )
    .service(
      TaskHubSidecarService,
      byComponent(TaskHubSidecarService, components, ({ engine }) =>
        createTaskHubService(engine, { log, rules, strict }),
      ),
      // Its messages are workers' answers, too: one that is refused would stay away, or come again, for ever.
      {
        rules: dialectRules,
        ...(strict ? { readMaxBytes: limits.requestBytes } : streamLimits),
      },
    )
    .service(Dapr, createDaprService(workflows, metadata))
    .service(Health, createHealthService(components, new Set(index.serviceNames)))
    .service(ServerReflection, createReflectionService(index))
    .service(ServerReflectionAlpha, createReflectionAlphaService(index));
}
