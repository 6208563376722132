// SPDX-License-Identifier: Apache-2.0

import { request } from "node:http";
import { afterEach } from "vitest";
import { createServer, type PawlServer, type ServerOptions } from "../src/index.js";

const open: PawlServer[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

/** Starts a server on a free port, in memory unless an engine is given. Closed after the test. */
export async function startServer(options: ServerOptions = {}): Promise<PawlServer> {
  const server = await createServer({ port: 0, store: "memory", shutdownGraceMs: 200, ...options });
  open.push(server);
  return server;
}

/** What a REST path answers. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown;
}

/** Sends one request with the path as it is: `fetch` would clean it. */
export function rest(
  server: PawlServer,
  method: string,
  path: string,
  body?: string | Uint8Array,
  headers: Readonly<Record<string, string>> | [string, string][] = {},
): Promise<RestAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host: "127.0.0.1", port: server.port, method, path, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const { statusCode: status = 0 } = response;
          resolve({ status, headers: response.headers, text, json: parseJson(text) });
        });
      },
    );
    const fields = Array.isArray(headers) ? headers : Object.entries(headers);
    if (fields.some(([name]) => name === "host")) {
      call.removeHeader("host");
    }
    for (const [name, value] of fields) {
      call.appendHeader(name, value);
    }
    call.on("error", reject);
    call.end(body);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
