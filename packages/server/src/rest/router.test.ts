// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { decodeSegment, parseQuery, type RestRoute, RestRouter } from "./router.js";

function route(method: RestRoute["method"], pattern: string): RestRoute {
  return { method, pattern, operation: "get", handle: () => ({ status: 200 }) };
}

const router = new RestRouter([
  route("POST", "/v1/workflows/{component}/{name}/start"),
  route("POST", "/v1/workflows/{component}/{id}/pause"),
  route("POST", "/v1/workflows/{component}/{id}/raiseEvent/{event}"),
  route("GET", "/v1/workflows/{component}/{id}"),
]);

describe("RestRouter.find()", () => {
  test.each([
    ["POST", "/v1/workflows/dapr/order/start", { component: "dapr", name: "order" }],
    ["POST", "/v1/workflows/dapr/a/pause", { component: "dapr", id: "a" }],
    ["GET", "/v1/workflows/dapr/a", { component: "dapr", id: "a" }],
    [
      "POST",
      "/v1/workflows/dapr/x/raiseEvent/start",
      { component: "dapr", id: "x", event: "start" },
    ],
  ])("matches %s %s", (method, path, parameters) => {
    expect(router.find(method, path)?.parameters).toEqual(parameters);
  });

  test.each(["/v1//workflows///dapr/a", "/v1/workflows/dapr/a/", "/v1/x/../workflows/./dapr/a"])(
    "cleans the path %s first",
    (path) => {
      const match = router.find("GET", path);
      expect(match?.parameters).toEqual({ component: "dapr", id: "a" });
      expect(match?.path).toBe("/v1/workflows/dapr/a");
    },
  );

  test.each([
    ["GET", "/v1/workflows/dapr/order/start"],
    ["HEAD", "/v1/workflows/dapr/a"],
    ["POST", "/v1/workflows/dapr/a/stop"],
    ["POST", "/v2/workflows/dapr/a/pause"],
    ["GET", "/"],
    ["GET", "/.."],
  ])("finds nothing for %s %s", (method, path) => {
    expect(router.find(method, path)).toBeUndefined();
  });

  test("leaves variables escaped", () => {
    expect(router.find("GET", "/v1/workflows/a%2Fb/c+d")?.parameters).toEqual({
      component: "a%2Fb",
      id: "c+d",
    });
  });
});

describe("decodeSegment()", () => {
  test.each([
    ["a%3A0001", "a:0001"],
    ["a+b", "a b"],
    ["%C3%A4", "ä"],
  ])("decodes %s like a query", (segment, text) => {
    expect(decodeSegment(segment)).toBe(text);
  });

  test.each(["%zz", "%", "%ff"])("refuses %s", (segment) => {
    expect(() => decodeSegment(segment)).toThrow(URIError);
  });
});

describe("parseQuery()", () => {
  test("reads names and values", () => {
    expect(parseQuery("instanceID=a%20b&appID=").get("instanceID")).toBe("a b");
  });

  test.each(["instanceID=a;b=c", "instanceID=a%zz"])("drops %s whole", (query) => {
    expect([...parseQuery(query)]).toEqual([]);
  });
});
