// SPDX-License-Identifier: Apache-2.0

import { componentHeader } from "../../component/name.js";
import { version } from "../../version.js";
import type { RestHandler, RestRoute } from "../router.js";
import { type AnswerKind, notes, type RouteNote } from "./notes.js";
import { schemas } from "./schemas.js";

const prefixPattern = /^\/v1\.0(-beta1|-alpha1)?/;

/** What is said of a route, by its method and path without the prefix. */
export function noteOf({ method, pattern }: Pick<RestRoute, "method" | "pattern">): RouteNote {
  const note = notes[`${method} ${pattern.replace(prefixPattern, "")}`];
  if (note === undefined) throw new Error(`${method} ${pattern} has no note`);
  return note;
}

/** GET /v1.0/openapi.json: the routes that this server has, as an OpenAPI 3.1 document. */
export function getOpenApi(routes: () => readonly RestRoute[]): RestHandler {
  let json: string | undefined;
  return ({ request }) => {
    request.resume();
    json ??= JSON.stringify(openApiOf(routes()));
    return { status: 200, json };
  };
}

/** The document of a table of routes (OpenAPI 3.1.1). */
export function openApiOf(routes: readonly RestRoute[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const operation = { [route.method.toLowerCase()]: operationOf(route) };
    paths[route.pattern] = { ...paths[route.pattern], ...operation };
  }
  return {
    openapi: "3.1.1",
    info: { title: "Pawl", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    paths,
    components: {
      schemas,
      securitySchemes: { token: { type: "apiKey", in: "header", name: "dapr-api-token" } },
    },
  };
}

function operationOf(route: RestRoute): object {
  const note = noteOf(route);
  const variables = [...route.pattern.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  return {
    operationId: operationIdOf(route),
    summary: note.summary,
    parameters: [
      ...variables.map((name) => ({
        name,
        in: "path",
        required: true,
        schema: { type: "string" },
      })),
      ...parametersIn("query", note.query),
      ...parametersIn("header", { ...componentHeaders(variables), ...note.headers }),
    ],
    ...(note.body === undefined ? {} : { requestBody: bodyOf(note.body) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(note.answers).map(([status, kinds]) => [
          status,
          responseOf(...[kinds].flat()),
        ]),
      ),
      default: responseOf("Error"),
    },
    ...(route.operation === "health" ? { security: [] } : { security: [{ token: [] }, {}] }),
  };
}

/** A path with a component's place may have a workflow's type there. */
function componentHeaders(variables: readonly string[]): Readonly<Record<string, string>> {
  return variables.includes("workflowComponent")
    ? { [componentHeader]: "The component that is meant where the path names none, or `dapr`." }
    : {};
}

/** Unique among the routes: the prefixes serve the same paths. */
function operationIdOf({ method, pattern }: RestRoute): string {
  const words = pattern.replaceAll(/[{}]/g, "").split(/[/.-]/).filter(Boolean);
  return [method.toLowerCase(), ...words].join("_");
}

function parametersIn(place: "query" | "header", described: RouteNote["query"] = {}): object[] {
  return Object.entries(described).map(([name, note]) => {
    const described =
      typeof note === "string" ? { description: note, schema: { type: "string" } } : note;
    return { name, in: place, ...described };
  });
}

function bodyOf(note: NonNullable<RouteNote["body"]>): object {
  if (typeof note === "string") {
    return { description: note, required: false, content: { "*/*": {} } };
  }
  const schema = { $ref: `#/components/schemas/${note.schema}` };
  return { description: note.description, content: { "application/json": { schema } } };
}

function responseOf(...kinds: readonly AnswerKind[]): object {
  const described = kinds.map(describe);
  const content = Object.fromEntries(
    described.flatMap(({ type, body }) => (type === "" ? [] : [[type, body]])),
  );
  return {
    description: described.map(({ text }) => text).join(" Or: "),
    ...(Object.keys(content).length === 0 ? {} : { content }),
  };
}

function describe(kind: AnswerKind): { text: string; type: string; body: object } {
  switch (kind) {
    case "nothing":
      return { text: "Nothing.", type: "", body: {} };
    case "output":
      return { text: "The output.", type: "application/json", body: {} };
    case "document":
      return { text: "An OpenAPI 3.1 document.", type: "application/json", body: {} };
    case "events":
      return { text: "Server-sent events.", type: "text/event-stream", body: {} };
    default: {
      const schema = { $ref: `#/components/schemas/${kind}` };
      return { text: kind, type: "application/json", body: { schema } };
    }
  }
}
