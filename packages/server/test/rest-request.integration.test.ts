// SPDX-License-Identifier: Apache-2.0

// How a request of Dapr's REST API is read: path, query, body and ids, on the real engine.

import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { fakeEngine } from "./fake-engine.js";
import { rest, startServer } from "./test-server.js";

const api = "/v1.0/workflows/dapr";

/** A server with the pending instance "a". */
async function serverWithInstance(): Promise<PawlServer> {
  const server = await startServer();
  await server.engine.start({ workflow: "order", instanceId: "a", input: "1" });
  return server;
}

describe("a path", () => {
  test.each([
    ["//v1.0///workflows//dapr//a", "double slashes"],
    ["/v1.0/workflows/dapr/a/", "a trailing slash"],
    ["/v1.0/workflows/dapr/a//", "trailing slashes"],
    ["/v1.0/x/../workflows/./dapr/a", "dot segments"],
    ["/../v1.0/workflows/dapr/a", "a dot segment above the root"],
    ["/v1.0/workflows/da%70r/%61", "escapes"],
    ["/v1.0/workflows/anything/a", "any component"],
    ["http://somewhere:1/v1.0/workflows/dapr/a", "a server in front"],
  ])("%s is routed with %s", async (path) => {
    const server = await serverWithInstance();

    expect(await rest(server, "GET", path)).toMatchObject({
      status: 200,
      json: { instanceID: "a" },
    });
  });

  test.each([
    ["parent%3A0001", "parent:0001"],
    ["a+b", "a b"],
    ["a%2Fb", "a/b"],
    ["a%2Bb", "a+b"],
    ["%C3%A4", "ä"],
    ["..%2F..", "../.."],
  ])("names the instance %s as %s", async (segment, instanceId) => {
    const server = await startServer();
    await server.engine.start({ workflow: "order", instanceId });

    expect((await rest(server, "GET", `${api}/${segment}`)).json).toMatchObject({
      instanceID: instanceId,
    });
  });

  test.each([
    ["GET", `${api}/a%zz`],
    ["GET", `${api}/%`],
    ["POST", `${api}/a%4/pause`],
    ["GET", "/nowhere/a%zz"],
  ])("with a bad escape answers 400 in plain text: %s %s", async (method, path) => {
    const answer = await rest(await startServer(), method, path);

    expect(answer.status).toBe(400);
    expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(answer.text).toContain("invalid URL escape");
  });

  test.each([
    ["GET", "/"],
    ["GET", "/v1.0/workflows"],
    ["GET", "/V1.0/workflows/dapr/a"],
    ["GET", "/v1/workflows/dapr/a"],
    ["POST", "/v1.0/workflows/dapr/a"],
    ["PUT", "/v1.0/workflows/dapr/a"],
    ["PATCH", "/v1.0/workflows/dapr/a"],
    ["DELETE", "/v1.0/workflows/dapr/a"],
    ["DELETE", "/v1.0-beta1/workflows/order/a"],
    ["HEAD", "/v1.0/workflows/dapr/a"],
    ["OPTIONS", "/v1.0/workflows/dapr/a"],
    ["GET", "/v1.0/workflows/dapr/a/pause"],
    ["POST", "/v1.0/workflows/dapr/a/Pause"],
    ["POST", "/v1.0/workflows/dapr/a/raiseEvent"],
    ["POST", "/v1.0/workflows/dapr/a/raiseEvent/"],
    ["POST", "/v1.0/workflows/dapr//start"],
    ["POST", "/v1.0-alpha1/workflows/dapr/a/suspend"],
    ["POST", "/v1.0-alpha1/workflows/dapr/order/a/start"],
    ["PUT", "/v1.0/metadata"],
  ])("that there is not answers 404 ERR_DIRECT_INVOKE: %s %s", async (method, path) => {
    const answer = await rest(await serverWithInstance(), method, path);

    expect(answer.status).toBe(404);
    if (method === "HEAD") {
      expect(answer.text).toBe("");
    } else {
      expect(answer.json).toEqual({
        errorCode: "ERR_DIRECT_INVOKE",
        message: "failed getting app id either from the URL path or the header dapr-app-id",
      });
    }
  });
});

describe("a query", () => {
  const start = `${api}/order/start`;

  test.each([
    "instanceID=a;b",
    "instanceID=b;",
    "instanceID=b&x=%zz",
    "instanceID=%",
    "instanceid=b",
    "instance_id=b",
    "instanceID=",
    "",
  ])("%s leads to an id that is made", async (query) => {
    const answer = await rest(await startServer(), "POST", `${start}?${query}`);

    expect(answer.status).toBe(202);
    expect(answer.json).toEqual({
      instanceID: expect.stringMatching(
        /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/,
      ),
    });
  });

  test.each([
    ["instanceID=b", "b"],
    ["x=1&instanceID=b", "b"],
    ["instanceID=b&instanceID=c", "b"],
    [`instanceID=${"x".repeat(64)}`, "x".repeat(64)],
    [`instanceID=${encodeURIComponent("ä".repeat(32))}`, "ä".repeat(32)],
    ["instanceID=%E6%97%A5-_9", "日-_9"],
    ["appID=", expect.any(String)],
    ["instanceID=b&appID=other-app_1", "b"],
  ])("%s starts %s", async (query, instanceID) => {
    const answer = await rest(await startServer(), "POST", `${start}?${query}`);

    expect(answer).toMatchObject({ status: 202, json: { instanceID } });
  });

  const tooLong = "workflow instance ID exceeds the max length of 64 characters";
  const invalid = (id: string): string =>
    `workflow instance ID '${id}' is invalid: only alphanumeric and underscore characters are allowed`;

  test.each([
    [`instanceID=${"x".repeat(65)}`, "ERR_INSTANCE_ID_TOO_LONG", tooLong],
    [`instanceID=${encodeURIComponent("ä".repeat(33))}`, "ERR_INSTANCE_ID_TOO_LONG", tooLong],
    [`instanceID=${".".repeat(65)}`, "ERR_INSTANCE_ID_TOO_LONG", tooLong],
    ["instanceID=a.b", "ERR_INSTANCE_ID_INVALID", invalid("a.b")],
    ["instanceID=a+b", "ERR_INSTANCE_ID_INVALID", invalid("a b")],
    ["instanceID=a%3A1", "ERR_INSTANCE_ID_INVALID", invalid("a:1")],
    ["instanceID=%ff", "ERR_INSTANCE_ID_INVALID", invalid("\ufffd")],
    [
      "appID=a.b",
      "ERR_WORKFLOW_APP_ID_INVALID",
      "workflow app ID 'a.b' is invalid: only alphanumeric, dash and underscore characters are allowed",
    ],
  ])("%s is refused with %s", async (query, errorCode, message) => {
    const answer = await rest(await startServer(), "POST", `${start}?${query}`);

    expect(answer).toMatchObject({ status: 400, json: { errorCode, message } });
  });

  test.each(["GET", "POST"])("of %s has its app id checked", async (method) => {
    const path = method === "GET" ? `${api}/a` : `${api}/a/pause`;
    const answer = await rest(await serverWithInstance(), method, `${path}?appID=.`);

    expect(answer.json).toMatchObject({ errorCode: "ERR_WORKFLOW_APP_ID_INVALID" });
  });
});

describe("a body", () => {
  test.each([
    ["not JSON", "text/plain"],
    ['{"a": 1}', "application/json"],
    ["\ufefföäü😀", "application/octet-stream"],
    ["", "application/json"],
  ])("of start is the input as it is: %j", async (input, type) => {
    const server = await startServer();
    const headers = { "content-type": type };

    await rest(server, "POST", `${api}/order/start?instanceID=a`, input, headers);

    expect((await server.engine.get("a"))?.input).toBe(input);
  });

  test.each(['{"a": 1}', "not JSON", ""])(
    "of raiseEvent is the payload as it is: %j",
    async (body) => {
      const raised: unknown[] = [];
      const engine = fakeEngine({
        async raiseEvent(...event) {
          raised.push(event);
        },
      });
      const server = await startServer({ engine });

      const answer = await rest(server, "POST", `${api}/a/raiseEvent/e`, body);

      expect(answer).toMatchObject({ status: 202, text: "{}" });
      expect(raised).toEqual([["a", "e", body]]);
    },
  );

  test.each([
    ["{}", 202],
    ['{"instanceID":"other"}', 202],
    ['{"instance_id":"other","workflowComponent":"x","unknown":[1]}', 202],
    ["", 202],
    ["{", 400],
    ["[]", 400],
    ['"a"', 400],
    ["1", 400],
    ["not JSON", 400],
    ["\xff", 202, { binary: true }],
  ] as const)("of a control operation is its JSON or empty: %j answers %i", async (...row) => {
    const [body, expected, kind] = row;
    const server = await serverWithInstance();
    const bytes = Buffer.from(body, kind === undefined ? "utf8" : "latin1");
    const status = kind === undefined ? expected : 400;

    for (const operation of ["pause", "resume", "terminate"]) {
      const answer = await rest(server, "POST", `${api}/a/${operation}`, bytes);
      expect(answer.status).toBe(status);
      if (status === 400) {
        expect(answer.json).toEqual({
          errorCode: "ERR_MALFORMED_REQUEST",
          message: expect.stringContaining("failed deserializing HTTP body: "),
        });
      }
    }
  });

  test("of a control operation has its app id checked, unless the query has one", async () => {
    const server = await serverWithInstance();
    const body = '{"appID":"."}';

    const refused = await rest(server, "POST", `${api}/a/pause`, body);
    const taken = await rest(server, "POST", `${api}/a/pause?appID=x`, body);

    expect([refused.status, taken.status]).toEqual([400, 202]);
    expect(refused.json).toMatchObject({ errorCode: "ERR_WORKFLOW_APP_ID_INVALID" });
  });

  test.each([
    ['{"instanceID":"b"}', { instanceID: "a" }],
    ["{", { errorCode: "ERR_MALFORMED_REQUEST" }],
  ])("of GET is its JSON or empty: %s", async (body, expected) => {
    const server = await serverWithInstance();
    const headers = { "content-length": String(body.length) };

    expect((await rest(server, "GET", `${api}/a`, body, headers)).json).toMatchObject(expected);
  });

  test.each([
    [`${api}/order/start?instanceID=b`, "ERR_START_WORKFLOW"],
    [`${api}/a/raiseEvent/e`, "ERR_RAISE_EVENT_WORKFLOW"],
  ])("of %s that is not UTF-8 answers 500 %s", async (path, errorCode) => {
    const server = await serverWithInstance();

    const answer = await rest(server, "POST", path, Buffer.from([0x22, 0xff, 0x22]));

    expect(answer).toMatchObject({ status: 500, json: { errorCode } });
  });

  test.each([
    ["a name", `{"filter": {"EQ": {"${"k".repeat(40_000)}": 1}}}`, "no field"],
    [
      "names",
      `{${Array.from({ length: 10_000 }, (_, key) => `"${key}": 1`).join()}}`,
      "Unrecognized",
    ],
  ])(
    "with %s that nobody knows is neither sent back nor logged whole",
    async (_what, body, reason) => {
      const logged: unknown[] = [];
      const info = (facts: unknown): void => void logged.push(facts);
      const logger = { debug() {}, info, warn() {}, error() {} };
      const answer = await rest(await startServer({ logger }), "POST", `${api}/query`, body);

      expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(reason)]);
      expect(answer.text.length).toBeLessThan(4200);
      expect(logged).toEqual([expect.objectContaining(answer.json)]);
    },
  );

  test("that breaks off harms nothing", async () => {
    const server = await serverWithInstance();
    const socket = connect(server.port, "127.0.0.1");
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    socket.write(
      `POST ${api}/order/start?instanceID=b HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{`,
    );
    socket.end();
    await new Promise<void>((resolve) => socket.once("close", () => resolve()).resume());

    expect((await rest(server, "GET", `${api}/b`)).status).toBe(404);
  });
});

describe("PUT /v1.0/metadata/{key}", () => {
  test.each([
    ["team", "orders", "team"],
    ["a%2Fb", "", "a/b"],
    ["a+b", "ä", "a b"],
  ])("%s keeps the text %j", async (segment, value, key) => {
    const server = await startServer();

    const set = await rest(server, "PUT", `/v1.0/metadata/${segment}`, value);
    const { json } = await rest(server, "GET", "/v1.0/metadata");

    expect(set).toMatchObject({ status: 204, text: "" });
    expect(json).toMatchObject({ extended: { [key]: value } });
  });
});

describe("HTTP/2", () => {
  test("has both forms, and headers that come twice", async () => {
    const server = await startServer();
    const session = connectHttp2(server.url);
    const call = session.request({
      ":method": "POST",
      ":path": "/v1.0/workflows/order/a/start",
      "dapr-workflow-metadata": ["x=1", "y=%C3%A4"],
    });
    const headers = await new Promise((resolve) => call.once("response", resolve).end("1"));
    call.resume();
    await new Promise<void>((resolve) => session.close(resolve));

    expect(headers).toMatchObject({ ":status": 202, location: "/v1.0/workflows/order/a" });
    expect((await server.engine.get("a"))?.tags).toEqual({ x: "1", y: "ä" });
    expect((await rest(server, "GET", `${api}/a`)).status).toBe(200);
  });
});
