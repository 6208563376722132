// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError, createRouterTransport, type ServiceImpl } from "@connectrpc/connect";
import { InstanceStatus, WorkflowService } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { type Client, createClient } from "../client.js";

function clientOf(service: Partial<ServiceImpl<typeof WorkflowService>>): Client {
  return createClient({
    transport: createRouterTransport((router) => {
      router.service(WorkflowService, service);
    }),
  });
}

const running = { instanceId: "i", workflow: "w", status: InstanceStatus.RUNNING };
const gone = () => new ConnectError("gone", Code.Unavailable);

describe("a watch", () => {
  test.each([
    ["its connection breaks", Code.Unavailable],
    ["its server ends what was not read for long", Code.ResourceExhausted],
  ])("goes on after the last item when %s", async (_when, code) => {
    const gone = () => new ConnectError("gone", code);
    const tokens: string[] = [];
    const client = clientOf({
      async *watchInstances({ resumeToken }) {
        tokens.push(resumeToken);
        if (tokens.length === 1) {
          yield { change: { case: "caughtUp", value: true }, resumeToken: "t1" };
          yield { change: { case: "changed", value: running }, resumeToken: "t2" };
          throw gone();
        }
        if (tokens.length === 2) throw gone();
        yield { change: { case: "purgedInstanceId", value: "i" }, resumeToken: "t3" };
      },
    });
    const seen: unknown[] = [];
    for await (const item of client.watchAll()) seen.push([item.kind, item.resumeToken]);
    expect(seen).toEqual([
      ["caughtUp", "t1"],
      ["changed", "t2"],
      ["purged", "t3"],
    ]);
    expect(tokens).toEqual(["", "t2", "t2"]);
  });

  test("sends what it is asked for, and gives the history that each change adds", async () => {
    const requests: unknown[] = [];
    const client = clientOf({
      async *watchInstance(request) {
        requests.push(request);
        yield { instance: running, events: [{ eventId: 5 }], restarted: true, resumeToken: "t" };
      },
    });
    const changes = client.watch("i", { history: true, resumeToken: "before", payloads: false });
    const first = await changes.next();
    expect(first.value).toMatchObject({
      instance: { instanceId: "i", status: "running" },
      events: [{ eventId: 5 }],
      restarted: true,
      resumeToken: "t",
    });
    expect(requests).toMatchObject([
      { instanceId: "i", includeHistory: true, resumeToken: "before", omitPayloads: true },
    ]);
  });

  test("fails at once when it never had an item, and on what does not pass", async () => {
    const never = clientOf({
      // biome-ignore lint/correctness/useYield: it fails before its first item
      async *watchInstances() {
        throw gone();
      },
    });
    await expect(never.watchAll().next()).rejects.toMatchObject({ code: "UNREACHABLE" });
    let calls = 0;
    const refusing = clientOf({
      async *watchInstances() {
        calls += 1;
        yield { change: { case: "caughtUp", value: true }, resumeToken: "t" };
        throw new ConnectError("no", Code.InvalidArgument);
      },
    });
    const items = refusing.watchAll();
    await items.next();
    await expect(items.next()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(calls).toBe(1);
  });

  test("ends with CANCELLED when it is aborted between two connections", async () => {
    const controller = new AbortController();
    const client = clientOf({
      async *watchInstances() {
        yield { change: { case: "caughtUp", value: true }, resumeToken: "t" };
        throw gone();
      },
    });
    const items = client.watchAll({}, { signal: controller.signal });
    await items.next();
    const waiting = items.next();
    setImmediate(() => controller.abort());
    await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
  });
});
