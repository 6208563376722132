// SPDX-License-Identifier: Apache-2.0

import { componentHeader } from "../../component/name.js";
import type { RestHandler, RestRoute } from "../router.js";
import { notes, type RouteNote } from "./notes.js";
import { schemas } from "./schemas.js";

const prefixPattern = /^\/v1\.0(-beta1|-alpha1)?/;

/** What is said of a route, by its method and path without the prefix. */
export function noteOf({ method, pattern }: Pick<RestRoute, "method" | "pattern">): RouteNote {
  const note = notes[`${method} ${pattern.replace(prefixPattern, "")}`];
  if (note === undefined) throw new Error(`${method} ${pattern} has no note`);
  return note;
}

/** GET /v1.0/openapi.json: the routes that this server has, as an OpenAPI 3.1 document. */
export function getOpenApi(routes: () => readonly RestRoute[], version: string): RestHandler {
  let json: string | undefined;
  return ({ request }) => {
    request.resume();
    json ??= JSON.stringify(openApiOf(routes(), version));
    return { status: 200, json };
  };
}

/** The document of a table of routes (OpenAPI 3.1.1). */
export function openApiOf(routes: readonly RestRoute[], version: string): object {
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
        Object.entries(note.answers).map(([status, answer]) => [status, responseOf(answer)]),
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
  return Object.entries(described).map(([name, description]) => {
    return { name, in: place, description, schema: { type: "string" } };
  });
}

function bodyOf(description: string): object {
  return { description, required: false, content: { "*/*": {} } };
}

function responseOf(answer: RouteNote["answers"][number]): object {
  switch (answer) {
    case "nothing":
      return { description: "Nothing." };
    case "text":
      return { description: "The output.", content: { "application/json": {} } };
    case "events":
      return { description: "Server-sent events.", content: { "text/event-stream": {} } };
    default:
      return {
        description: answer,
        content: { "application/json": { schema: { $ref: `#/components/schemas/${answer}` } } },
      };
  }
}
