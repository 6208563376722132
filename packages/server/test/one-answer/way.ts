// SPDX-License-Identifier: Apache-2.0

import type { JsonObject } from "@bufbuild/protobuf";
import { Dapr, TaskHubSidecarService, WorkflowService } from "@pawl/protocol";
import type { PawlServer } from "../../src/index.js";
import { rest } from "../test-server.js";
import { callRpc, rpcProtocols } from "./protocol.js";

/** What a caller may ask of one instance. */
export type Verb = "start" | "get" | "raise" | "suspend" | "resume" | "terminate" | "purge";

/** One request, in no protocol's form. */
export interface Ask {
  readonly verb: Verb;
  readonly instanceId: string;
  /** JSON text. */
  readonly input?: string;
}

/** One way to ask: an API over a protocol. */
export interface Way {
  readonly name: string;
  readonly api: "pawl" | "dapr" | "task hub" | "rest" | "early rest";
  /** The outcome: "OK", Pawl's error code over RPC, status and Dapr's error code over REST. */
  ask(ask: Ask): Promise<string>;
}

interface RpcForm {
  readonly method: string;
  request(ask: Ask): JsonObject;
}

const toBase64 = (text: string | undefined): JsonObject[string] =>
  Buffer.from(text ?? "").toString("base64");
const pawlId = ({ instanceId }: Ask): JsonObject => ({ instanceId });
const daprId = ({ instanceId: instanceID }: Ask): JsonObject => ({ instanceID });
const optional = (input: string | undefined): JsonObject => (input === undefined ? {} : { input });

const pawlForms: Record<Verb, RpcForm> = {
  start: {
    method: "startInstance",
    request: ({ instanceId, input }) => ({ instanceId, workflow: "order", ...optional(input) }),
  },
  get: { method: "getInstance", request: pawlId },
  raise: {
    method: "raiseEvent",
    request: ({ instanceId, input }) => ({ instanceId, name: "paid", ...optional(input) }),
  },
  suspend: { method: "suspendInstance", request: pawlId },
  resume: { method: "resumeInstance", request: pawlId },
  terminate: { method: "terminateInstance", request: pawlId },
  purge: { method: "purgeInstance", request: pawlId },
};

const taskHubForms: Record<Verb, RpcForm> = {
  ...pawlForms,
  start: {
    method: "startInstance",
    request: ({ instanceId, input }) => ({ instanceId, name: "order", ...optional(input) }),
  },
  terminate: {
    method: "terminateInstance",
    request: ({ instanceId }) => ({ instanceId, recursive: true }),
  },
  purge: {
    method: "purgeInstances",
    request: ({ instanceId }) => ({ instanceId, recursive: true }),
  },
};

/** Names without their suffix. */
const daprForms: Record<Verb, RpcForm> = {
  start: {
    method: "startWorkflow",
    request: (ask) => ({ ...daprId(ask), workflowName: "order", input: toBase64(ask.input) }),
  },
  get: { method: "getWorkflow", request: daprId },
  raise: {
    method: "raiseEventWorkflow",
    request: (ask) => ({ ...daprId(ask), eventName: "paid", eventData: toBase64(ask.input) }),
  },
  suspend: { method: "pauseWorkflow", request: daprId },
  resume: { method: "resumeWorkflow", request: daprId },
  terminate: { method: "terminateWorkflow", request: daprId },
  purge: { method: "purgeWorkflow", request: daprId },
};

/** Method and path behind `/workflows/COMPONENT`; `{id}` stands for the id. */
const restPaths: Record<Verb, readonly [string, string]> = {
  start: ["POST", "/order/start?instanceID={id}"],
  get: ["GET", "/{id}"],
  raise: ["POST", "/{id}/raiseEvent/paid"],
  suspend: ["POST", "/{id}/pause"],
  resume: ["POST", "/{id}/resume"],
  terminate: ["POST", "/{id}/terminate"],
  purge: ["POST", "/{id}/purge"],
};

const earlyPaths: Record<Verb, readonly [string, string]> = {
  ...restPaths,
  start: ["POST", "/{id}/start"],
  raise: ["POST", "/{id}/raiseEvent?eventName=paid"],
  suspend: ["POST", "/{id}/suspend"],
  purge: ["DELETE", "/{id}"],
};

const sendsBody: ReadonlySet<Verb> = new Set(["start", "raise"]);

function restWay(
  server: PawlServer,
  api: "rest" | "early rest",
  prefix: string,
  paths: Record<Verb, readonly [string, string]>,
): Way {
  return {
    name: `REST ${prefix}`,
    api,
    async ask({ verb, instanceId, input }) {
      const [method, path] = paths[verb];
      const target = prefix + path.replace("{id}", encodeURIComponent(instanceId));
      const body = sendsBody.has(verb) ? input : undefined;
      const { status, json } = await rest(server, method, target, body);
      const hasCode = typeof json === "object" && json !== null && "errorCode" in json;
      return hasCode ? `${status} ${String(json.errorCode)}` : "OK";
    },
  };
}

function rpcWays(protocols: Protocols, api: "pawl" | "dapr" | "task hub", suffix: string): Way[] {
  const service = { pawl: WorkflowService, dapr: Dapr, "task hub": TaskHubSidecarService }[api];
  const forms = { pawl: pawlForms, dapr: daprForms, "task hub": taskHubForms }[api];
  return protocols.map(([protocol, transport]) => ({
    name: `${service.typeName} ${suffix} ${protocol}`,
    api,
    async ask(ask) {
      const { method: name, request } = forms[ask.verb];
      const method = service.methods.find(({ localName }) => localName === name + suffix);
      if (method === undefined) {
        throw new Error(`no method ${name}${suffix}`);
      }
      return (await callRpc(transport, method, request(ask))).code;
    },
  }));
}

type Protocols = ReturnType<typeof rpcProtocols>;

/** Every way to ask a server. */
export function waysTo(server: PawlServer): readonly Way[] {
  const protocols = rpcProtocols(server.url);
  return [
    ...rpcWays(protocols, "pawl", ""),
    ...rpcWays(protocols, "task hub", ""),
    ...rpcWays(protocols, "dapr", "Alpha1"),
    ...rpcWays(protocols, "dapr", "Beta1"),
    restWay(server, "rest", "/v1.0/workflows/dapr", restPaths),
    restWay(server, "rest", "/v1.0-beta1/workflows/dapr", restPaths),
    restWay(server, "rest", "/v1.0-alpha1/workflows/any", restPaths),
    restWay(server, "early rest", "/v1.0/workflows/order", earlyPaths),
  ];
}
