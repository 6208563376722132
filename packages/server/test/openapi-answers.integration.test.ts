// SPDX-License-Identifier: Apache-2.0

// What the server answers, held against the OpenAPI document that it serves.

import { expect, test } from "vitest";
import { z } from "zod";
import type { PawlServer } from "../src/index.js";
import { completed, oneActivity, startWorker } from "./task-hub-worker.js";
import { type RestAnswer, rest, startServer } from "./test-server.js";

interface Answer {
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
}

interface Operation {
  readonly requestBody?: { readonly content: NonNullable<Answer["content"]> };
  readonly responses: Readonly<Record<string, Answer>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const first = "/v1.0/workflows/{workflowComponent}";
const one = `${first}/{instanceID}`;

/** Method, path in the document, path, status, body; in this order, as each leaves something behind. */
const calls: readonly (readonly [string, string, string, number, string?])[] = [
  ["POST", `${first}/{workflowName}/start`, "dapr/order/start?instanceID=done", 202, "1"],
  ["POST", `${first}/{workflowName}/start`, "dapr/wait/start?instanceID=open", 202, "1"],
  ["POST", `${first}/{workflowName}/start`, "dapr/wait/start?instanceID=open", 500],
  ["POST", `${first}/{workflowName}/start`, "order/open/start", 409],
  ["POST", `${first}/{workflowName}/start`, "order/early/start", 200, "1"],
  ["GET", `${one}/wait`, "dapr/done/wait", 200],
  ["GET", `${one}/wait`, "dapr/open/wait?timeout=0", 202],
  ["GET", `${one}/wait`, "dapr/none/wait?timeout=0", 404],
  ["GET", one, "dapr/done", 200],
  ["GET", one, "order/done", 200],
  ["GET", one, "dapr/none", 404],
  ["POST", `${one}/raiseEvent/{eventName}`, "dapr/open/raiseEvent/e", 202],
  ["POST", `${one}/raiseEvent/{eventName}`, "dapr/none/raiseEvent/e", 500],
  ["POST", `${one}/raiseEvent`, "wait/open/raiseEvent?eventName=e", 202],
  ["POST", `${one}/raiseEvent`, "wait/open/raiseEvent", 400],
  ["POST", `${one}/pause`, "dapr/open/pause", 202],
  ["POST", `${one}/pause`, "dapr/open/pause", 400, "["],
  ["POST", `${one}/suspend`, "wait/open/suspend", 202],
  ["POST", `${one}/resume`, "dapr/open/resume", 202],
  ["GET", `${one}/history`, "dapr/done/history", 200],
  ["GET", `${one}/history`, "dapr/none/history", 404],
  ["GET", `${one}/explain`, "dapr/open/explain", 200],
  ["POST", `${one}/rerun`, "dapr/done/rerun", 202, '{"eventId": 0}'],
  ["POST", `${one}/rerun`, "dapr/open/rerun", 409, '{"eventId": 0}'],
  ["POST", `${one}/rerun`, "dapr/done/rerun", 400, "{}"],
  ["GET", `${one}/watch`, "dapr/done/watch?history=true", 200],
  ["GET", `${one}/watch`, "dapr/none/watch", 404],
  ["GET", first, "dapr?payloads=true", 200],
  ["GET", first, "dapr?pageSize=1", 200],
  ["GET", first, "dapr?status=x", 400],
  ["POST", `${first}/query`, "dapr/query", 200, '{"payloads": true, "page": {"limit": 1}}'],
  ["POST", `${first}/query`, "dapr/query", 400, '{"sort": 1}'],
  ["POST", `${one}/terminate`, "dapr/open/terminate", 202],
  ["POST", `${one}/purge`, "dapr/done/purge", 202],
  ["POST", `${one}/purge`, "dapr/done/purge", 404],
  ["DELETE", one, "order/early", 200],
  ["DELETE", one, "order/early", 404],
  ["GET", "/v1.0/workers", "../workers", 200],
  ["GET", "/v1.0/healthz", "../healthz", 204],
  ["GET", "/v1.0/healthz", "../healthz?appid=x", 500],
  ["GET", "/v1.0/healthz/outbound", "../healthz/outbound", 204],
  ["PUT", "/v1.0/metadata/{key}", "../metadata/team", 204, "blue"],
  ["GET", "/v1.0/metadata", "../metadata", 200],
  ["GET", "/v1.0/openapi.json", "../openapi.json", 200],
];

async function startWithWorker(): Promise<PawlServer> {
  const server = await startServer();
  startWorker(server, {
    turn(request) {
      const name = request.pastEvents
        .concat(request.newEvents)
        .map(({ eventType }) => (eventType.case === "executionStarted" ? eventType.value.name : ""))
        .find((text) => text !== "");
      if (name === "wait") return [];
      const [action] = oneActivity(request);
      return action === undefined ? [completed('"done"')] : [action];
    },
  });
  return server;
}

/** Refuses an answer that the document does not have, or whose body is not as it says. */
function requireDescribed(document: Document, operation: Operation, answer: RestAnswer): void {
  const described = operation.responses[answer.status] ?? operation.responses.default;
  const type = String(answer.headers["content-type"] ?? "");
  expect(Object.keys(described?.content ?? {}).concat(type === "" ? [""] : [])).toContain(type);
  const schema = described?.content?.[type]?.schema;
  if (schema === undefined) return;
  expect(issuesOf(document, schema, answer.json)).toEqual([]);
}

/** What of a value is not as a schema of the document says. */
function issuesOf(document: Document, schema: object, value: unknown): readonly object[] {
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
  const local = JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/"));
  return z.fromJSONSchema(local).safeParse(value).error?.issues ?? [];
}

test("every operation answers what the document says", async () => {
  const server = await startWithWorker();
  const { json } = await rest(server, "GET", "/v1.0/openapi.json");
  const document = json as Document;
  const tried = new Set<string>();
  for (const [method, pattern, path, status, body] of calls) {
    const operation = document.paths[pattern]?.[method.toLowerCase()];
    if (operation === undefined) throw new Error(`no ${method} ${pattern}`);
    const headers = { prefer: "wait=60" };
    const answer = await rest(server, method, `/v1.0/workflows/${path}`, body, headers);
    expect({ method, path, status: answer.status }).toEqual({ method, path, status });
    requireDescribed(document, operation, answer);
    const { schema } = operation.requestBody?.content["application/json"] ?? {};
    if (schema !== undefined) {
      const issues = issuesOf(document, schema, JSON.parse(body ?? "{}"));
      expect({ path, body, isDescribed: issues.length === 0 }).toMatchObject({
        isDescribed: status !== 400,
      });
    }
    tried.add(`${method} ${pattern}`);
  }
  const described = Object.entries(document.paths)
    .filter(([pattern]) => pattern.startsWith("/v1.0/"))
    .flatMap(([pattern, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${pattern}`),
    );
  expect([...tried].sort()).toEqual(described.sort());
});
