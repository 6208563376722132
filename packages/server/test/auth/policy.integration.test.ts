// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DescMethod, DescMethodUnary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import {
  AdminService,
  Dapr,
  ErrorDetailSchema,
  TaskHubSidecarService,
  WorkerService,
  WorkflowService,
} from "@pawl/protocol";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { createServer, type PawlServer } from "../../src/index.js";
import { createCallTransport } from "../call-transport.js";
import { rest } from "../test-server.js";

const [alice, bob, hal] = ["alice-alice-alice", "bob-bob-bob-bob-b", "hal-hal-hal-hal-h"];
const firstRules = [
  { callers: ["token:alice"], operations: ["admin"], workflows: ["order*"] },
  { callers: ["token:bob"], operations: ["admin"], workflows: ["billing"] },
  { callers: ["token:hal"], operations: ["work"], workflows: ["*"] },
];

let folder = "";
let policyFile = "";
let server: PawlServer;
let transports: ReadonlyMap<string, Transport>;

async function writeRules(rules: readonly object[]): Promise<void> {
  await writeFile(policyFile, stringify({ rules }));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-policy-"));
  policyFile = join(folder, "policy.yaml");
  const tokensFile = join(folder, "tokens.yaml");
  const tokens = Object.entries({ alice, bob, hal }).map(([name, token]) => {
    return { name, token, scopes: ["admin"] };
  });
  await writeFile(tokensFile, stringify({ tokens }));
  await writeRules(firstRules);
  server = await createServer({
    port: 0,
    store: "memory",
    tokensFile,
    policyFile,
    reloadIntervalMs: 20,
    shutdownGraceMs: 200,
  });
  const baseUrl = server.url;
  transports = new Map([
    ["Connect JSON", createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: false })],
    ["Connect binary", createConnectTransport({ baseUrl, httpVersion: "1.1" })],
    ["gRPC", createGrpcTransport({ baseUrl })],
    ["gRPC-Web", createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
    ["stream of calls", createCallTransport({ baseUrl })],
  ]);
  await server.engine.start({ workflow: "billing", instanceId: "there-1", input: '"secret"' });
  await server.engine.start({ workflow: "order", instanceId: "order-1" });
  await server.engine.start({ workflow: "billing", instanceId: "ended-1" });
  await server.engine.terminate("ended-1");
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

function as(token: string): Headers {
  return new Headers({ "dapr-api-token": token });
}

/** What an answer says, whichever instance it is about. */
async function outcomeOf(answer: Promise<unknown>, instanceId: string): Promise<string> {
  const text = await answer.then(
    (value) => JSON.stringify(value, (_key, part) => (typeof part === "bigint" ? `${part}` : part)),
    (thrown: unknown) => {
      const error = ConnectError.from(thrown);
      const [detail] = error.findDetails(ErrorDetailSchema);
      return `${Code[error.code]} ${error.rawMessage} ${JSON.stringify(detail)}`;
    },
  );
  return text.replaceAll(instanceId, "ID");
}

/** Every unary method of a service that is about one instance, but for starts. */
const methods = [WorkflowService, TaskHubSidecarService, Dapr]
  .flatMap((service): DescMethod[] => service.methods)
  .filter((method): method is DescMethodUnary => method.methodKind === "unary")
  .filter(
    ({ name, input }) =>
      !/^Start|^Complete/.test(name) && /nstance(ID|Id|_id)/.test(fieldNames(input.fields)),
  );

function fieldNames(
  fields: readonly { readonly name: string; readonly localName: string }[],
): string {
  return fields.map(({ name, localName }) => `${name} ${localName}`).join(" ");
}

function requestFor({ input, name }: DescMethodUnary, instanceId: string): Record<string, unknown> {
  if (name === "PurgeInstances") return { request: { case: "instanceId", value: instanceId } };
  const named = input.fields.some((field) => field.localName === "eventName")
    ? { eventName: "e" }
    : {};
  return {
    instanceId,
    ...named,
    ...(input.fields.some((f) => f.localName === "name") ? { name: "e" } : {}),
  };
}

describe("an instance of a workflow that the policy does not allow", () => {
  test("has RPCs to try", () => {
    expect(methods.length).toBeGreaterThan(25);
  });

  test.each(methods.map((method) => [`${method.parent.typeName}/${method.name}`, method] as const))(
    "looks like one that does not exist: %s",
    async (name, method) => {
      const before = await server.engine.get("there-1");
      // A wait for what has ended would be answered at once, were it allowed.
      const existing = name.includes("Wait") ? "ended-1" : "there-1";
      const waitMs = name.includes("Wait") ? 60 : 20_000;
      for (const [protocol, transport] of transports) {
        const ask = (instanceId: string): Promise<string> => {
          const request = requestFor(method, instanceId);
          const call = transport.unary(method, undefined, waitMs, as(alice), request);
          return outcomeOf(
            call.then(({ message }) => message),
            instanceId,
          );
        };
        const denied = await ask(existing);
        expect({ protocol, said: denied }).toEqual({ protocol, said: await ask("nobody-") });
        expect(denied).not.toContain("secret");
      }
      expect(await server.engine.get("there-1")).toEqual(before);
    },
  );

  const paths: [string, string][] = [
    ["GET", "/v1.0/workflows/dapr/ID"],
    ["GET", "/v1.0/workflows/billing/ID"],
    ["DELETE", "/v1.0/workflows/billing/ID"],
    ...["terminate", "pause", "resume", "purge", "raiseEvent/e"].map((verb): [string, string] => [
      "POST",
      `/v1.0-beta1/workflows/dapr/ID/${verb}`,
    ]),
    ...["terminate", "suspend", "resume"].map((verb): [string, string] => [
      "POST",
      `/v1.0/workflows/billing/ID/${verb}`,
    ]),
  ];

  test.each(paths)("looks like one that does not exist: %s %s", async (method, path) => {
    const before = await server.engine.get("there-1");
    const ask = async (instanceId: string): Promise<unknown> => {
      const headers = { "dapr-api-token": alice };
      const { status, text } = await rest(
        server,
        method,
        path.replace("ID", instanceId),
        "",
        headers,
      );
      return { status, text: text.replaceAll(instanceId, "ID") };
    };
    expect(await ask("there-1")).toEqual(await ask("nobody-"));
    expect(await server.engine.get("there-1")).toEqual(before);
  });

  test("is in no list, and not to be watched", async () => {
    for (const [protocol, transport] of transports) {
      const workflows = createClient(WorkflowService, transport);
      const { instances } = await workflows.listInstances({}, { headers: as(alice) });
      expect(
        instances.map(({ instanceId }) => instanceId),
        protocol,
      ).toEqual(["order-1"]);
      const watch = workflows.watchInstance({ instanceId: "there-1" }, { headers: as(alice) });
      await expect(watch[Symbol.asyncIterator]().next()).rejects.toThrow(/no such instance exists/);
    }
  });

  test("is not in the feed of all instances", async () => {
    const workflows = createClient(WorkflowService, createGrpcTransport({ baseUrl: server.url }));
    const feed = workflows.watchInstances({ existing: true }, { headers: as(alice) });
    const seen: string[] = [];
    for await (const { change } of feed) {
      if (change.case === "caughtUp") break;
      seen.push(change.case === "changed" ? change.value.instanceId : String(change.case));
    }
    expect(seen).toEqual(["order-1"]);
  });

  test("is there for who may", async () => {
    const workflows = createClient(WorkflowService, createGrpcTransport({ baseUrl: server.url }));
    const { instance } = await workflows.getInstance(
      { instanceId: "there-1" },
      { headers: as(bob) },
    );
    expect(instance?.workflow).toBe("billing");
    const hub = createClient(TaskHubSidecarService, createGrpcTransport({ baseUrl: server.url }));
    await hub.raiseEvent({ instanceId: "there-1", name: "e" }, { headers: as(bob) });
  });
});

describe("a start that the policy does not allow", () => {
  test("is answered alike for workflows that exist and that do not", async () => {
    for (const [protocol, transport] of transports) {
      const workflows = createClient(WorkflowService, transport);
      for (const workflow of ["billing", "unheard-of"]) {
        const answer = workflows.startInstance({ workflow }, { headers: as(alice) });
        expect(await outcomeOf(answer, workflow), protocol).toMatch(
          /^NotFound no workflow has the name "ID" .*WORKFLOW_NOT_FOUND/,
        );
      }
    }
    const headers = { "dapr-api-token": alice };
    for (const path of ["/v1.0/workflows/dapr/billing/start", "/v1.0/workflows/billing/a/start"]) {
      expect((await rest(server, "POST", path, "", headers)).status).toBe(404);
    }
    expect((await server.engine.list({ workflow: "unheard-of" })).instances).toEqual([]);
  });
});

describe("a worker under a policy", () => {
  const workers = () => createClient(WorkerService, createGrpcTransport({ baseUrl: server.url }));

  async function connect(token: string, workflows: string[]): Promise<unknown> {
    const requests = (async function* () {
      yield { announcement: { name: "w", workflows, activities: [] } };
      await new Promise(() => {});
    })();
    const stop = new AbortController();
    const work = workers().work(requests, { headers: as(token), signal: stop.signal });
    try {
      return (await work[Symbol.asyncIterator]().next()).value?.welcome;
    } finally {
      stop.abort();
    }
  }

  test("may run what it is allowed and no other workflow", async () => {
    expect(await connect(alice, ["order", "order-eu"])).toBeDefined();
    await expect(connect(alice, ["order", "billing"])).rejects.toThrow(
      'no workflow has the name "billing"',
    );
  });

  test("that announces nothing must be allowed everything", async () => {
    const hub = createClient(TaskHubSidecarService, createGrpcTransport({ baseUrl: server.url }));
    const open = (token: string) =>
      hub.getWorkItems({}, { headers: as(token) })[Symbol.asyncIterator]();
    await expect(open(alice).next()).rejects.toThrow(
      /is offered all; the policy has no rule for token:alice/,
    );

    const items = open(hal);
    const { value } = await items.next();
    expect(value?.request.case).toBe("workflowRequest");
    const instanceId = value?.request.value?.instanceId ?? "";

    // A result from somebody who was not given the turn changes nothing, although no token is asked
    // for; the right worker's does.
    const result = { instanceId, actions: [completion()] };
    await hub.completeWorkflowTask(result, { headers: as(bob) });
    expect((await server.engine.get(instanceId))?.status).not.toBe("completed");
    await hub.completeWorkflowTask(result, { headers: as(hal) });
    expect((await server.engine.get(instanceId))?.status).toBe("completed");
  });

  function completion() {
    return {
      id: 0,
      workflowActionType: {
        case: "completeWorkflow" as const,
        value: { workflowStatus: 1, result: "1" },
      },
    };
  }
});

describe("a policy file", () => {
  test("decides on the server as a whole, too", async () => {
    const dapr = createClient(Dapr, createGrpcTransport({ baseUrl: server.url }));
    const admin = createClient(AdminService, createGrpcTransport({ baseUrl: server.url }));
    await dapr.setMetadata({ key: "a", value: "b" }, { headers: as(alice) });
    await expect(dapr.setMetadata({ key: "a" }, { headers: as(hal) })).rejects.toMatchObject({
      code: Code.PermissionDenied,
    });
    const backup = admin.backup({}, { headers: as(hal) })[Symbol.asyncIterator]();
    await expect(backup.next()).rejects.toMatchObject({ code: Code.PermissionDenied });
  });

  test("is taken anew when it changes", async () => {
    const workflows = createClient(WorkflowService, createGrpcTransport({ baseUrl: server.url }));
    const get = () => workflows.getInstance({ instanceId: "order-1" }, { headers: as(bob) });
    await expect(get()).rejects.toMatchObject({ code: Code.NotFound });

    await writeRules([{ callers: ["*"], operations: ["read"], workflows: ["*"] }]);
    await vi.waitFor(async () => expect((await get()).instance?.workflow).toBe("order"), 20_000);
    await writeRules(firstRules);
    await vi.waitFor(() => expect(get()).rejects.toMatchObject({ code: Code.NotFound }), 20_000);
  });

  test("with a mistake keeps a server from starting", async () => {
    const file = join(folder, "bad.yaml");
    await writeFile(file, "rules: [1]\n");
    const started = createServer({ port: 0, store: "memory", policyFile: file });
    await expect(started).rejects.toThrow(`${file}:1: rules[0]: `);
  });
});
