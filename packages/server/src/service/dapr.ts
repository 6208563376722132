// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Empty, EmptySchema } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { type Dapr, toTimestamp } from "@pawl/protocol";
import type {
  GetWorkflowRequest,
  GetWorkflowResponseSchema,
  RaiseEventWorkflowRequest,
  StartWorkflowRequest,
} from "@pawl/protocol/dapr";
import { noTime } from "../dapr/instance.js";
import type { DaprControl, DaprTarget, DaprWorkflows } from "../dapr/workflows.js";
import type { ServerMetadata } from "../metadata.js";
import { namedComponent } from "../rpc/component-value.js";
import { traceOfCall } from "../tracing/caller-trace.js";

/** The workflow methods and metadata of Dapr's own service. Alpha1 and Beta1 do the same. */
export function createDaprService(
  workflows: DaprWorkflows,
  metadata: ServerMetadata,
): ServiceImpl<typeof Dapr> {
  const start = (request: StartWorkflowRequest, context: HandlerContext) =>
    startWorkflow(workflows, request, context);
  const get = (request: GetWorkflowRequest, context: HandlerContext) =>
    getWorkflow(workflows, request, context);
  const raiseEvent = (request: RaiseEventWorkflowRequest, context: HandlerContext) =>
    raiseWorkflowEvent(workflows, request, context);
  const control =
    (operation: DaprControl) => async (request: OptionalTarget, context: HandlerContext) => {
      await workflows.control(operation, toTarget(request, context));
      return create(EmptySchema);
    };
  return {
    startWorkflowAlpha1: start,
    startWorkflowBeta1: start,
    getWorkflowAlpha1: get,
    getWorkflowBeta1: get,
    raiseEventWorkflowAlpha1: raiseEvent,
    raiseEventWorkflowBeta1: raiseEvent,
    terminateWorkflowAlpha1: control("terminate"),
    terminateWorkflowBeta1: control("terminate"),
    pauseWorkflowAlpha1: control("pause"),
    pauseWorkflowBeta1: control("pause"),
    resumeWorkflowAlpha1: control("resume"),
    resumeWorkflowBeta1: control("resume"),
    purgeWorkflowAlpha1: control("purge"),
    purgeWorkflowBeta1: control("purge"),
    getMetadata() {
      const { id, runtimeVersion, extended, connectedWorkers, components } = metadata.read();
      return {
        id,
        runtimeVersion,
        registeredComponents: components.map((component) => ({ ...component })),
        extendedMetadata: { ...extended },
        ...(connectedWorkers === 0 ? {} : { workflows: { connectedWorkers } }),
      };
    },
    setMetadata({ key, value }) {
      metadata.set(key, value);
      return {};
    },
  };
}

interface OptionalTarget {
  readonly instanceId: string;
  readonly workflowComponent: string;
  readonly appId?: string | undefined;
}

function toTarget(request: OptionalTarget, context: HandlerContext): DaprTarget {
  const { instanceId, workflowComponent: component, appId } = request;
  const headerComponent = namedComponent(context);
  const target = { instanceId, component, headerComponent, caller: context };
  return { ...target, ...(appId === undefined ? {} : { appId }) };
}

async function startWorkflow(
  workflows: DaprWorkflows,
  request: StartWorkflowRequest,
  context: HandlerContext,
): Promise<{ instanceId: string }> {
  const instanceId = await workflows.start({
    ...toTarget(request, context),
    name: request.workflowName,
    input: request.input,
    trace: traceOfCall(context),
    startTime: request.options["dapr.workflow.start_time"],
  });
  return { instanceId };
}

/** An unknown instance is no error here (since Dapr 1.16): the answer has nothing but the id. */
async function getWorkflow(
  workflows: DaprWorkflows,
  request: GetWorkflowRequest,
  context: HandlerContext,
): Promise<MessageInitShape<typeof GetWorkflowResponseSchema>> {
  const instance = await workflows.get(toTarget(request, context));
  if (instance === undefined) {
    return { instanceId: request.instanceId };
  }
  const { createdAt, lastUpdatedAt } = instance;
  return {
    ...instance,
    createdAt: createdAt === undefined ? noTime : toTimestamp(createdAt),
    lastUpdatedAt: lastUpdatedAt === undefined ? noTime : toTimestamp(lastUpdatedAt),
  };
}

/** Unset data cannot be told from empty data on this wire; Dapr takes both for none. */
async function raiseWorkflowEvent(
  workflows: DaprWorkflows,
  request: RaiseEventWorkflowRequest,
  context: HandlerContext,
): Promise<Empty> {
  const { eventName: name, eventData: data } = request;
  await workflows.raiseEvent({
    ...toTarget(request, context),
    name,
    ...(data.length === 0 ? {} : { data }),
  });
  return create(EmptySchema);
}
