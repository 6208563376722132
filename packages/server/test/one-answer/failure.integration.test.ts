// SPDX-License-Identifier: Apache-2.0

// Whatever the engine refuses, with whatever code, over whatever protocol: one answer, by the one
// error table.

import { Code } from "@connectrpc/connect";
import { EngineError } from "@pawl/engine";
import { type ErrorCode, errorCodes } from "@pawl/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rpcOperations } from "../../src/auth/access.js";
import { type DaprOperation, daprErrors, daprOperations, errorMap } from "../../src/error-map.js";
import { createServer, type PawlServer, type ServedEngine } from "../../src/index.js";
import { fakeEngine } from "../fake-engine.js";
import { rest } from "../test-server.js";
import { type Operation, operations } from "./operation.js";
import { callRpc, rpcProtocols } from "./protocol.js";

let server: PawlServer;
let protocols: ReturnType<typeof rpcProtocols>;
let code: ErrorCode = "INTERNAL";

/** Refuses everything with the code of the moment. */
function refusingEngine(): ServedEngine {
  const refuse = (): never => {
    throw new EngineError(code, `refused with ${code}`, { details: { instanceId: "one" } });
  };
  const reject = async (): Promise<never> => refuse();
  const quiet = ["workerCount", "isReady", "onReadyChange", "close"];
  const names = Object.keys(fakeEngine()).filter((name) => !quiet.includes(name));
  const stream = () => ({ [Symbol.asyncIterator]: () => ({ next: reject }) });
  return fakeEngine({
    ...Object.fromEntries(names.map((name) => [name, reject])),
    watch: stream,
    watchAll: stream,
    backup: stream,
    connectWorker: refuse,
  });
}

beforeAll(async () => {
  server = await createServer({ port: 0, engine: refusingEngine(), shutdownGraceMs: 200 });
  protocols = rpcProtocols(server.url);
});

afterAll(() => server.close());

function expectedConnect(operation: Operation, refusal: ErrorCode): Code {
  if (operation.dapr === undefined) {
    return errorMap[refusal].connect;
  }
  const isNotFound = refusal === "INSTANCE_NOT_FOUND" && daprOperations[operation.dapr].notFound;
  return isNotFound ? Code.NotFound : errorMap[refusal].daprGrpc;
}

test("every RPC has a row", () => {
  const paths = operations.map(({ name }) => `/${name}`);
  expect(paths.sort()).toEqual([...rpcOperations.keys()].sort());
});

describe("a refusal is the same in every protocol", () => {
  const refusable = operations.filter((operation) => operation.local === undefined);

  test.each(refusable.map((operation) => [operation.name, operation] as const))(
    "%s",
    async (_name, operation) => {
      for (const refusal of errorCodes) {
        code = refusal;
        const wanted = operation.renamed?.[refusal] ?? refusal;
        const connect = expectedConnect(operation, wanted);
        const answers = await Promise.all(
          protocols.map(async ([protocol, transport]) => {
            const answer = await callRpc(transport, operation.method, operation.request);
            return { protocol, refusal, ...answer };
          }),
        );
        for (const answer of answers) {
          expect(answer).toMatchObject({ protocol: answer.protocol, code: wanted, connect });
        }
        const messages = new Set(answers.map(({ message }) => message));
        expect([...messages], refusal).toHaveLength(1);
      }
    },
  );
});

/** What Dapr's gRPC service has, too: it has no lists. */
type ServiceOperation = Exclude<DaprOperation, "list">;

/** The REST path of each of Dapr's operations, and the method of the gRPC service that is the same. */
const restOperations = {
  start: ["POST", "/order/start?instanceID=one", "startWorkflowBeta1"],
  get: ["GET", "/one", "getWorkflowBeta1"],
  raiseEvent: ["POST", "/one/raiseEvent/paid", "raiseEventWorkflowBeta1"],
  terminate: ["POST", "/one/terminate", "terminateWorkflowBeta1"],
  pause: ["POST", "/one/pause", "pauseWorkflowBeta1"],
  resume: ["POST", "/one/resume", "resumeWorkflowBeta1"],
  purge: ["POST", "/one/purge", "purgeWorkflowBeta1"],
} satisfies Record<ServiceOperation, readonly [string, string, string]>;

describe("a refusal over REST is that of Dapr's gRPC service", () => {
  test.each(
    Object.keys(daprOperations).filter((name): name is ServiceOperation => name in restOperations),
  )("%s", async (operation) => {
    const [verb, path, localName] = restOperations[operation];
    const method = operations.find((row) => row.method.localName === localName);
    const [, [, transport] = []] = protocols;
    if (method === undefined || transport === undefined) {
      throw new Error(`no method ${localName}`);
    }
    for (const refusal of errorCodes) {
      code = refusal;
      const { message } = await callRpc(transport, method.method, method.request);
      const row = daprOperations[operation];
      const isNotFound = refusal === "INSTANCE_NOT_FOUND" && row.notFound;
      for (const prefix of ["/v1.0", "/v1.0-beta1", "/v1.0-alpha1"]) {
        const answer = await rest(server, verb, `${prefix}/workflows/dapr${path}`);
        expect({ refusal, status: answer.status, body: answer.json }).toEqual({
          refusal,
          status: isNotFound
            ? daprErrors.ERR_INSTANCE_ID_NOT_FOUND.http
            : errorMap[refusal].daprHttp,
          body: { errorCode: isNotFound ? "ERR_INSTANCE_ID_NOT_FOUND" : row.code, message },
        });
      }
    }
  });
});
