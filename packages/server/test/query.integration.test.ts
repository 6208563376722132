// SPDX-License-Identifier: Apache-2.0

// ListInstances with conditions: the same instances as REST's query, over every protocol.

import { create, fromJson } from "@bufbuild/protobuf";
import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import {
  InstanceConditionSchema,
  ListInstancesRequestSchema,
  WorkflowService,
} from "@pawl/protocol";
import { toConditionMessage } from "@pawl/protocol/message";
import { describe, expect, test } from "vitest";
import { parseFilter } from "../src/rest/query/filter.js";
import { rest, startServer } from "./test-server.js";
import { serverWithInstances } from "./twenty-instances.js";

const protocols: [string, (baseUrl: string) => Transport][] = [
  ["Connect JSON", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1" })],
  [
    "Connect binary",
    (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: true }),
  ],
  ["gRPC", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["gRPC-Web", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
];

/** Dapr's grammar, and how many of the twenty instances it lets through. */
const filters: [object, number][] = [
  [{ EQ: { status: "terminated" } }, 2],
  [{ NEQ: { status: "terminated" } }, 18],
  [{ IN: { id: ["i-07", "i-01", "nobody"] } }, 2],
  [{ GTE: { id: "i-15" } }, 5],
  [{ AND: [{ GT: { id: "i-03" } }, { LT: { id: "i-05" } }] }, 1],
  [{ OR: [{ EQ: { status: "terminated" } }, { EQ: { "metadata.third": "0" } }] }, 8],
  [{ AND: [{ EQ: { name: "odd" } }, { NEQ: { "metadata.third": "0" } }] }, 7],
  [{ LTE: { createdAt: "2000-01-01T00:00:00Z" } }, 0],
  [{ EQ: { completionTime: 1 } }, 0],
  [{ OR: [] }, 0],
  [{ AND: [] }, 20],
];

const whereOf = (filter: object) =>
  create(InstanceConditionSchema, toConditionMessage(parseFilter(filter) ?? { all: [] }));

describe.each(protocols)("ListInstances with conditions over %s", (_, transportOf) => {
  test("finds what REST's query finds, in its order, and takes its tokens", async () => {
    const server = await serverWithInstances();
    const client = createClient(WorkflowService, transportOf(server.url));
    for (const [filter, count] of filters) {
      const page = { limit: 2 };
      const sort = [{ key: "createdAt", order: "DESC" }];
      const body = JSON.stringify({ filter, sort, page });
      const { json } = await rest(server, "POST", "/v1.0-alpha1/workflows/dapr/query", body);
      const { results, token } = json as { results: { key: string }[]; token?: string };
      const query = { where: whereOf(filter), orderBy: 2, descending: true };
      const first = await client.listInstances({ ...query, pageSize: 2 });
      expect(first.instances.map(({ instanceId }) => instanceId)).toEqual(
        results.map(({ key }) => key),
      );
      expect(first.nextPageToken).toBe(token ?? "");
      const rest2 = token === undefined ? [] : await restOf(client, query, token);
      expect(new Set([...results.map(({ key }) => key), ...rest2]).size).toBe(count);
      expect(results.length + rest2.length).toBe(count);
    }
  });

  test("includes inputs when they are asked for", async () => {
    const server = await serverWithInstances();
    const client = createClient(WorkflowService, transportOf(server.url));
    const where = whereOf({ EQ: { id: "i-05" } });
    const inputs = [false, true].map(async (includePayloads) => {
      const { instances } = await client.listInstances({ where, includePayloads });
      return instances[0]?.input;
    });
    expect(await Promise.all(inputs)).toEqual([undefined, "5"]);
  });

  test("watches what the same condition lets through", async () => {
    const server = await serverWithInstances();
    const client = createClient(WorkflowService, transportOf(server.url));
    const where = whereOf({ AND: [{ EQ: { name: "odd" } }, { NEQ: { "metadata.third": "0" } }] });
    const ids: string[] = [];
    for await (const { change } of client.watchInstances({ where, existing: true })) {
      if (change.case !== "changed") break;
      ids.push(change.value.instanceId);
    }
    const listed = (await client.listInstances({ where })).instances;
    expect(ids.sort()).toEqual(listed.map(({ instanceId }) => instanceId).sort());
    expect(ids).toHaveLength(7);
  });

  test.each<[string, object, string]>([
    ["nothing", {}, "a condition is missing"],
    ["no operator", { text: { field: "TEXT_FIELD_WORKFLOW", values: ["x"] } }, "operator"],
    [
      "two values where one is meant",
      {
        text: {
          field: "TEXT_FIELD_WORKFLOW",
          operator: "COMPARISON_OPERATOR_EQUAL",
          values: ["x", "y"],
        },
      },
      'the one value that "eq" takes is missing',
    ],
    [
      "an order of statuses",
      {
        status: { operator: "COMPARISON_OPERATOR_LESS", values: ["INSTANCE_STATUS_FAILED"] },
      },
      'of "status" the comparisons are eq, neq, in',
    ],
  ])("refuses a condition with %s", async (_name, where, message) => {
    const server = await startServer();
    const client = createClient(WorkflowService, transportOf(server.url));
    const request = fromJson(ListInstancesRequestSchema, { where } as never);
    await expect(client.listInstances(request)).rejects.toThrow(message);
  });
});

async function restOf(
  client: ReturnType<typeof createClient<typeof WorkflowService>>,
  query: object,
  pageToken: string,
): Promise<string[]> {
  const { instances, nextPageToken } = await client.listInstances({ ...query, pageToken });
  expect(nextPageToken).toBe("");
  return instances.map(({ instanceId }) => instanceId);
}

describe("a condition that is nested very deeply", () => {
  const levels = 50_000;

  test("is refused as JSON", async () => {
    const server = await startServer();
    const body = `{"where":${'{"all":{"conditions":['.repeat(levels)}${"]}}".repeat(levels)}}`;
    const path = "/pawl.v1.WorkflowService/ListInstances";
    const headers = { "content-type": "application/json" };
    const { status, json } = await rest(server, "POST", path, body, headers);
    expect({ status, json }).toMatchObject({ status: 400, json: { code: "invalid_argument" } });
  });

  test("is refused as protobuf", async () => {
    const server = await startServer();
    let where: Uint8Array = new Uint8Array();
    for (let level = 0; level < 5_000; level += 1) where = field(1, field(1, where));
    const path = "/pawl.v1.WorkflowService/ListInstances";
    const headers = { "content-type": "application/proto" };
    const body = Buffer.concat([Buffer.from([0x82, 0x01]), field(1, where).subarray(1)]);
    const { status, json } = await rest(server, "POST", path, body, headers);
    expect({ status, json }).toMatchObject({ status: 400, json: { code: "invalid_argument" } });
  });
});

/** A length-delimited field. */
function field(number: number, bytes: Uint8Array): Uint8Array {
  const size: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    if (rest < 128) {
      size.push(rest);
      break;
    }
    size.push((rest & 127) | 128);
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), bytes]);
}
