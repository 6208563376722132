// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { InstanceStatus, WorkflowService } from "@pawl/protocol";
import type { ServerProcess } from "./server-process.js";
import { findTool, runTool, type ToolName } from "./tool.js";

/** What every caller must see alike. */
export interface Finding {
  readonly instanceId: string;
  readonly workflow: string;
  readonly status: string;
  readonly input: string;
}

/** One way to call the server. */
export interface Caller {
  /** Name in the test report. */
  readonly name: string;
  /** The program that it needs. */
  readonly tool?: ToolName;
  /** Starts an instance. */
  start(server: ServerProcess, instance: StartedInstance): Promise<void>;
  /** Reads an instance. */
  find(server: ServerProcess, instanceId: string): Promise<Finding>;
}

/** What to start. */
export interface StartedInstance {
  readonly instanceId: string;
  readonly workflow: string;
  readonly input: string;
}

/** The JSON of a pawl.v1 response that holds an instance. */
interface InstanceReply {
  readonly instance: {
    readonly instanceId: string;
    readonly workflow: string;
    readonly status: string;
    readonly input: string;
  };
}

const curlFlags = ["--silent", "--show-error", "--fail-with-body", "--http1.1"];
const jsonHeader = ["--header", "content-type: application/json"];

/** Runs curl; resolves with the JSON that it got. */
export async function curlJson(...curlArguments: readonly string[]): Promise<unknown> {
  const text = await runTool("CURL", [...curlFlags, ...curlArguments]);
  return text === "" ? undefined : JSON.parse(text);
}

function toFinding(reply: unknown): Finding {
  const { instanceId, workflow, status, input } = (reply as InstanceReply).instance;
  return { instanceId, workflow, status, input };
}

const curlConnect: Caller = {
  name: "curl, Connect JSON over HTTP/1.1",
  tool: "CURL",
  async start(server, instance) {
    const url = `${server.url}/pawl.v1.WorkflowService/StartInstance`;
    await curlJson(...jsonHeader, "--data", JSON.stringify(instance), url);
  },
  async find(server, instanceId) {
    const url = `${server.url}/pawl.v1.WorkflowService/GetInstance`;
    return toFinding(await curlJson(...jsonHeader, "--data", JSON.stringify({ instanceId }), url));
  },
};

/** What REST answers to GET. */
interface RestReply {
  readonly instanceID: string;
  readonly workflowName: string;
  readonly runtimeStatus: string;
  readonly properties: Readonly<Record<string, string>>;
}

function curlRest(prefix: string): Caller {
  return {
    name: `curl, REST ${prefix}`,
    tool: "CURL",
    async start(server, { instanceId, workflow, input }) {
      const url = `${server.url}${prefix}/workflows/dapr/${workflow}/start?instanceID=${instanceId}`;
      await curlJson("--data-binary", input, url);
    },
    async find(server, instanceId) {
      const reply = (await curlJson(
        `${server.url}${prefix}/workflows/dapr/${instanceId}`,
      )) as RestReply;
      return {
        instanceId: reply.instanceID,
        workflow: reply.workflowName,
        status: `INSTANCE_STATUS_${reply.runtimeStatus}`,
        input: reply.properties["dapr.workflow.input"] ?? "",
      };
    },
  };
}

async function grpcurl(server: ServerProcess, method: string, request: unknown): Promise<unknown> {
  const address = server.url.replace("http://", "");
  const flags = ["-plaintext", "-emit-defaults", "-d", JSON.stringify(request)];
  return JSON.parse(
    await runTool("GRPCURL", [...flags, address, `pawl.v1.WorkflowService/${method}`]),
  );
}

const grpcurlReflection: Caller = {
  name: "grpcurl with reflection",
  tool: "GRPCURL",
  async start(server, instance) {
    await grpcurl(server, "StartInstance", instance);
  },
  async find(server, instanceId) {
    return toFinding(await grpcurl(server, "GetInstance", { instanceId }));
  },
};

/** Calls from Python, on the port that Dapr SDKs use. */
export async function python(
  server: ServerProcess,
  method: string,
  request: unknown,
): Promise<unknown> {
  const program = join(import.meta.dirname, "python", "call.py");
  const path = `pawl.v1.WorkflowService/${method}`;
  return JSON.parse(
    await runTool("PYTHON", [program, server.grpcAddress, path, JSON.stringify(request)]),
  );
}

const pythonReflection: Caller = {
  name: "Python grpcio with reflection, on the gRPC port",
  tool: "PYTHON",
  async start(server, instance) {
    await python(server, "StartInstance", instance);
  },
  async find(server, instanceId) {
    return toFinding(await python(server, "GetInstance", { instanceId }));
  },
};

function generatedClient(name: string, createTransport: (url: string) => Transport): Caller {
  const connect = (server: ServerProcess): Client<typeof WorkflowService> =>
    createClient(WorkflowService, createTransport(server.url));
  return {
    name,
    async start(server, instance) {
      await connect(server).startInstance(instance);
    },
    async find(server, id) {
      const { instance } = await connect(server).getInstance({ instanceId: id });
      if (instance === undefined) throw new Error("the response has no instance");
      const { instanceId, workflow, input = "" } = instance;
      const status = `INSTANCE_STATUS_${InstanceStatus[instance.status]}`;
      return { instanceId, workflow, status, input };
    },
  };
}

/** Every way to call that the tests use. */
export const callers: readonly Caller[] = [
  curlConnect,
  curlRest("/v1.0"),
  curlRest("/v1.0-beta1"),
  grpcurlReflection,
  pythonReflection,
  generatedClient("gRPC-Web", (baseUrl) => createGrpcWebTransport({ baseUrl })),
  generatedClient("gRPC", (baseUrl) => createGrpcTransport({ baseUrl })),
  generatedClient("Connect over HTTP/1.1", (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: "1.1" }),
  ),
  generatedClient("Connect over HTTP/2", (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: "2" }),
  ),
];

/** The callers whose tools are there. */
export const usableCallers = callers.filter(
  ({ tool }) => tool === undefined || findTool(tool) !== undefined,
);
