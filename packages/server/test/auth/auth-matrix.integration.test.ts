// SPDX-License-Identifier: Apache-2.0

// Every RPC of every served service, in every protocol, and every REST path, with every kind of
// credential. What must happen follows from names, so that a new RPC or path is covered by itself, or
// fails here until its name has a rule.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DescMethod, DescMethodStreaming, DescMethodUnary } from "@bufbuild/protobuf";
import { ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { EngineError } from "@pawl/engine";
import { ErrorDetailSchema } from "@pawl/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rpcOperations, services } from "../../src/auth/access.js";
import { Components } from "../../src/component/components.js";
import { plainRules } from "../../src/dapr/call-rules.js";
import { DaprWorkflows } from "../../src/dapr/workflows.js";
import { createServer, type PawlServer, type ServedEngine } from "../../src/index.js";
import { createLog } from "../../src/log.js";
import { ServerMetadata } from "../../src/metadata.js";
import { defaults } from "../../src/options.js";
import { restRoutes } from "../../src/routes.js";
import { createCallTransport } from "../call-transport.js";
import { fakeEngine } from "../fake-engine.js";
import { rest } from "../test-server.js";
import {
  type Credential,
  credentials,
  expectedVerdict,
  type Rule,
  tokens,
  type Verdict,
  writeTokens,
} from "./credential.js";

let reached = 0;
let logged = "";
let cells = 0;
let folder = "";
let server: PawlServer;
let transports: ReadonlyMap<string, Transport>;

/** Counts what reaches it, and answers all with an error of its own: a call, a stream, at once. */
function countingEngine(): ServedEngine {
  const refusal = (): EngineError => {
    reached += 1;
    return new EngineError("INSTANCE_NOT_FOUND", "reached the engine");
  };
  const reject = (): unknown => {
    const rejected = Promise.reject(refusal());
    rejected.catch(() => {});
    return Object.assign(rejected, { [Symbol.asyncIterator]: () => ({ next: () => rejected }) });
  };
  const names = Object.keys(fakeEngine()).filter(
    (name) => !["workerCount", "isReady", "onReadyChange", "close"].includes(name),
  );
  return fakeEngine({
    ...Object.fromEntries(names.map((name) => [name, reject])),
    connectWorker: () => {
      throw refusal();
    },
  });
}

/** Puts the credential's query behind the path, which no transport does by itself. */
const addQuery: Interceptor = (next) => (request) => {
  const query = request.header.get("x-test-query");
  request.header.delete("x-test-query");
  return next(query === null ? request : { ...request, url: `${request.url}?${query}` });
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-auth-"));
  const tokensFile = join(folder, "tokens.yaml");
  await writeTokens(tokensFile);
  const write = (line: string): void => {
    logged += line;
  };
  server = await createServer({
    port: 0,
    engine: countingEngine(),
    tokensFile,
    logger: createLog("debug", { write }),
    shutdownGraceMs: 200,
  });
  const shared = { baseUrl: server.url, interceptors: [addQuery] };
  const options = { ...shared, httpVersion: "2" as const };
  transports = new Map([
    ["Connect JSON", createConnectTransport({ ...options, useBinaryFormat: false })],
    ["Connect binary", createConnectTransport({ ...options, useBinaryFormat: true })],
    ["gRPC", createGrpcTransport(shared)],
    ["gRPC-Web", createGrpcWebTransport(options)],
    ["stream of calls", createCallTransport(shared)],
  ]);
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Rules by the name of an RPC; the first that fits. */
const rpcRules: readonly (readonly [RegExp, Rule])[] = [
  [/^grpc\.health\.v1\.Health\//, "anybody"],
  [/^grpc\.reflection\.\w+\.ServerReflection\//, "known"],
  [/\/(Hello|GetMetadata)$/, "known"],
  // Each call on it has a rule of its own: see the protocol "stream of calls".
  [/^pawl\.v1\.CallService\//, "known"],
  [/\/SetMetadata$/, ["admin"]],
  [/^pawl\.v1\.AdminService\//, ["admin"]],
  [/\/(GetWorkItems|Work|Complete\w+Task)$/, ["work"]],
  [/\/GetInstanceHistory$/, ["read", "work"]],
  [/\/(Get|Explain|List|Query|WaitFor|Watch)/, ["read"]],
  [/\/(Start|Cancel|RaiseEvent|Suspend|Pause|Resume|Terminate|Purge|Rerun)/, ["operate"]],
];

/** Rules by method and path of a REST route; the first that fits. */
const restRules: readonly (readonly [RegExp, Rule])[] = [
  [/^GET .*\/healthz(\/outbound)?$/, "anybody"],
  [/^GET .*\/(metadata|openapi\.json)$/, "known"],
  [/^PUT .*\/metadata\/\w+$/, ["admin"]],
  [/^POST .*\/(start|raiseEvent(\/\w+)?|terminate|pause|suspend|resume|purge|rerun)$/, ["operate"]],
  [/^DELETE .*\/workflows\/\w+\/\w+$/, ["operate"]],
  [/^GET .*\/history$/, ["read", "work"]],
  [/^POST .*\/query$/, ["read"]],
  [/^GET .*\/v1\.0[^/]*\/workers$/, ["read"]],
  [/^GET .*\/workflows\/\w+(\/\w+(\/(wait|watch|explain))?)?$/, ["read"]],
];

function ruleFor(rules: readonly (readonly [RegExp, Rule])[], name: string): Rule {
  const found = rules.find(([pattern]) => pattern.test(name));
  if (found === undefined) throw new Error(`no rule for ${name}: say here who may`);
  return found[1];
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

function isStreaming(method: DescMethod): method is DescMethodStreaming {
  return method.methodKind !== "unary";
}

/** Calls a method with an empty message and tells what became of it. */
async function callRpc(
  transport: Transport,
  method: DescMethod,
  credential: Credential,
): Promise<Verdict> {
  const header = new Headers();
  for (const [name, value] of credential.headers) header.append(name, value);
  if (credential.query !== undefined) header.set("x-test-query", credential.query);
  const stop = new AbortController();
  try {
    if (isUnary(method)) {
      await transport.unary(method, stop.signal, 20_000, header, {});
      return "let in";
    }
    if (!isStreaming(method)) throw new Error(`${method.name} is of an unknown kind`);
    const input = (async function* () {
      yield {};
    })();
    const answer = await transport.stream(method, stop.signal, 20_000, header, input);
    await answer.message[Symbol.asyncIterator]().next();
    return "let in";
  } catch (error) {
    const [detail] = ConnectError.from(error).findDetails(ErrorDetailSchema);
    const code = detail?.code;
    return code === "UNAUTHENTICATED" || code === "PERMISSION_DENIED" ? code : "let in";
  } finally {
    stop.abort();
  }
}

async function callRest(
  method: string,
  path: string,
  credential: Credential,
): Promise<{ verdict: Verdict; status: number; errorCode: unknown }> {
  const { headers, query } = credential;
  const target = query === undefined ? path : `${path}?${query}`;
  const answer = await rest(server, method, target, undefined, headers);
  const body = answer.json as { errorCode?: string } | undefined;
  const errorCode = body?.errorCode;
  const verdict =
    errorCode === "ERR_UNAUTHENTICATED" || errorCode === "ERR_PERMISSION_DENIED"
      ? (errorCode.slice("ERR_".length) as Verdict)
      : "let in";
  return { verdict, status: answer.status, errorCode };
}

/** Runs a cell and checks that what is refused never comes to the engine. */
async function checkCell(
  title: string,
  rule: Rule,
  credential: Credential,
  call: () => Promise<Verdict>,
): Promise<void> {
  cells += 1;
  const before = reached;
  const verdict = await call();
  expect({ title, verdict }).toEqual({ title, verdict: expectedVerdict(rule, credential) });
  if (verdict !== "let in") {
    expect({ title, reached }).toEqual({ title, reached: before });
  }
}

const methods = services.flatMap((service) => service.methods);

describe("every RPC with every credential", () => {
  test.each(methods.map((method) => [`${method.parent.typeName}/${method.name}`, method] as const))(
    "%s",
    async (name, method) => {
      const rule = ruleFor(rpcRules, name);
      for (const [protocol, transport] of transports) {
        for (const credential of credentials) {
          await checkCell(`${protocol}, ${credential.title}`, rule, credential, () =>
            callRpc(transport, method, credential),
          );
        }
      }
    },
  );
});

/** Every REST path with its variables filled in. */
function restPaths(): [string, string][] {
  const components = Components.of(fakeEngine());
  const workflows = new DaprWorkflows(components);
  const metadata = new ServerMetadata("pawl", components);
  const { logger: log, appId, strictDapr } = defaults;
  const targets = { components, workflows, metadata, appId, strictDapr, rules: plainRules, log };
  return restRoutes(targets).flatMap(({ method, pattern }) =>
    // With a component, and with a workflow type: the two forms of the API.
    [...new Set(["dapr", "order"].map((first) => fill(pattern, first)))].map(
      (path): [string, string] => [method, path],
    ),
  );
}

function fill(pattern: string, first: string): string {
  return pattern.replace("{workflowComponent}", first).replaceAll(/\{\w+\}/g, "a");
}

describe("every REST path with every credential", () => {
  test.each(restPaths())("%s %s", async (method, path) => {
    const rule = ruleFor(restRules, `${method} ${path}`);
    for (const credential of credentials) {
      const call = async (): Promise<Verdict> => {
        const { verdict, status } = await callRest(method, path, credential);
        if (verdict === "UNAUTHENTICATED") expect(status).toBe(401);
        if (verdict === "PERMISSION_DENIED") expect(status).toBe(403);
        return verdict;
      };
      await checkCell(credential.title, rule, credential, call);
    }
  });

  test.each([
    ["GET", "/"],
    ["GET", "/nothing"],
    ["POST", "/pawl.v1.WorkflowService/Nothing"],
    ["HEAD", "/v1.0/metadata"],
    ["OPTIONS", "/v1.0/workflows/dapr/a"],
    ["GET", "/v1.0/healthz/../metadata"],
    ["GET", "//v1.0//metadata"],
  ])("%s %s tells nobody unknown whether it exists", async (method, path) => {
    for (const credential of credentials.filter(({ scope }) => scope === undefined)) {
      cells += 1;
      const { status } = await callRest(method, path, credential);
      expect({ title: credential.title, status }).toEqual({ title: credential.title, status: 401 });
    }
  });
});

describe("the matrix", () => {
  test("has every RPC that the server has", () => {
    const paths = methods.map((method) => `/${method.parent.typeName}/${method.name}`);
    expect([...rpcOperations.keys()].sort()).toEqual(paths.sort());
  });

  test("has at least a thousand cells", () => {
    expect(cells).toBeGreaterThanOrEqual(1000);
    process.stdout.write(`auth matrix: ${cells} cells\n`);
  });

  test("leaves no token in the log", () => {
    expect(logged).toContain("request refused");
    for (const token of Object.values(tokens)) {
      expect(logged).not.toContain(token);
      expect(logged).not.toContain(token.slice(3, 20));
      expect(logged).not.toContain(btoa(`:${token}`));
    }
  });
});
