// SPDX-License-Identifier: Apache-2.0

import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { notes } from "../src/rest/openapi/notes.js";
import { version } from "../src/version.js";
import { rest, startServer } from "./test-server.js";

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly summary: string }>>>>;
}

describe("GET /v1.0/openapi.json", () => {
  test("is a valid OpenAPI 3.1 document", async () => {
    const { status, json } = await rest(await startServer(), "GET", "/v1.0/openapi.json");
    const validator = new Validator();
    const result = await validator.validate(structuredClone(json) as Record<string, unknown>);

    expect(status).toBe(200);
    expect(result).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
  });

  test("has a path that is served for each note, and no other", async () => {
    const server = await startServer();
    const { json } = await rest(server, "GET", "/v1.0/openapi.json");
    const { paths } = json as Document;
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), path] as const),
    );
    const noted = described.map(([method, path]) => {
      return `${method} ${path.replace(/^\/v1\.0(-\w+)?/, "")}`;
    });

    expect([...new Set(noted)].sort()).toEqual(Object.keys(notes).sort());
    for (const [method, path] of described) {
      if (path.endsWith("/watch") || path.endsWith("/wait")) continue;
      const filled = path.replaceAll(/\{\w+\}/g, "a");
      const { json: answer } = await rest(server, method, filled);
      expect(answer, `${method} ${path}`).not.toMatchObject({ errorCode: "ERR_DIRECT_INVOKE" });
    }
  });

  test("has Pawl's version, and both kinds of answers of a list that may be watched", async () => {
    const { json } = await rest(await startServer(), "GET", "/v1.0/openapi.json");
    const content = { "application/json": expect.anything(), "text/event-stream": {} };

    expect(json).toMatchObject({
      info: { version },
      paths: {
        "/v1.0/workflows/{workflowComponent}": { get: { responses: { 200: { content } } } },
      },
    });
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test("is not there in strict mode", async () => {
    const server = await startServer({ strictDapr: true });
    const { json } = await rest(server, "GET", "/v1.0/openapi.json");
    expect(json).toMatchObject({ errorCode: "ERR_DIRECT_INVOKE" });
  });
});
