// SPDX-License-Identifier: Apache-2.0

// POST …/query, with the grammar of Dapr's state query.

import { expect, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { rest, startServer } from "./test-server.js";
import { serverWithInstances } from "./twenty-instances.js";

const path = "/v1.0-alpha1/workflows/dapr/query";

interface Found {
  readonly results: readonly { readonly key: string; readonly data: object }[];
  readonly token?: string;
}

async function query(server: PawlServer, body: object): Promise<Found> {
  const { status, json } = await rest(server, "POST", path, JSON.stringify(body));
  expect(status).toBe(200);
  return json as Found;
}

async function keys(server: PawlServer, filter: object): Promise<string[]> {
  return (await query(server, { filter, sort: [{ key: "id" }] })).results.map(({ key }) => key);
}

test("finds by equality, lists, ranges and their combinations", async () => {
  const server = await serverWithInstances();
  expect(await keys(server, { EQ: { status: "TERMINATED" } })).toEqual(["i-03", "i-04"]);
  expect(await keys(server, { IN: { id: ["i-07", "i-01"] } })).toEqual(["i-01", "i-07"]);
  const mixed = {
    OR: [
      { AND: [{ EQ: { name: "odd" } }, { EQ: { "metadata.third": "0" } }] },
      { EQ: { id: "i-10" } },
    ],
  };
  expect(await keys(server, mixed)).toEqual(["i-03", "i-09", "i-10", "i-15"]);
  expect(await keys(server, { GT: { createdAt: "2999-01-01T00:00:00Z" } })).toEqual([]);
  expect(await keys(server, {})).toHaveLength(20);
  expect((await query(server, {})).results).toHaveLength(20);
});

test("gives pages that neither miss nor repeat one", async () => {
  const server = await serverWithInstances();
  const seen: string[] = [];
  let token: string | undefined;
  do {
    const page = { limit: 3, ...(token === undefined ? {} : { token }) };
    const found = await query(server, {
      filter: { NEQ: { name: "even" } },
      sort: [{ key: "createdAt", order: "DESC" }],
      page,
    });
    expect(found.results.length).toBeLessThanOrEqual(3);
    seen.push(...found.results.map(({ key }) => key));
    ({ token } = found);
  } while (token !== undefined);
  expect([...seen].sort()).toEqual(
    Array.from({ length: 10 }, (_, index) => `i-${String(2 * index + 1).padStart(2, "0")}`),
  );
});

test("includes inputs and outputs when they are asked for", async () => {
  const server = await serverWithInstances();
  const filter = { EQ: { id: "i-05" } };
  const properties = { "dapr.workflow.input": "5" };
  expect((await query(server, { filter })).results[0]?.data).not.toHaveProperty("properties");
  expect((await query(server, { filter, payloads: true })).results[0]?.data).toMatchObject({
    properties,
  });
});

test.each([
  ["{", "malformed request: the body is not JSON"],
  ["[]", "malformed request: Invalid input: expected object, received array"],
  ['{"filter": {"EQ": {"colour": "red"}}}', 'there is no field "colour"'],
  [
    '{"filter": {"EQ": {"status": "CANCELED"}}}',
    'there is no status "CANCELED"; there are PENDING',
  ],
  ['{"filter": {"GT": {"status": "RUNNING"}}}', '"status" is compared with EQ, NEQ or IN'],
  ['{"sort": [{"key": "name"}]}', "lists are sorted by id, createdAt, lastUpdatedAt"],
  ['{"sort": [{"key": "id"}, {"key": "createdAt"}]}', "sort: lists are sorted by one key"],
  ['{"page": {"limit": 1001}}', "page.limit: Too big: expected number to be <=1000"],
  ['{"sort": [{"key": 1}], "page": {"limit": 1001}}', "sort[0].key: Invalid input"],
  ['{"page": {"token": "x"}}', "error while listing workflows: the page token"],
  ['{"limit": 5}', 'Unrecognized key: "limit"'],
])("refuses %s in one line that says what is wrong", async (body, text) => {
  const server = await startServer();
  const { status, json } = await rest(server, "POST", path, body);
  const { message } = json as { message: string };
  expect([status, message]).toEqual([400, expect.stringContaining(text)]);
  expect(message).not.toMatch(/[\n✖]/);
});
