// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { fakeEngine, fakeInstance } from "./fake-engine.js";
import { rest, startServer } from "./test-server.js";

const a = "/v1.0/workflows/order/a";

describe("an instance over REST", () => {
  test.each(['{"id":9007199254740993,"list":[1.50,-0]}', "12345678901234567890"])(
    "shows the numbers of the custom status %s as they were written",
    async (customStatus) => {
      const instance = fakeInstance({ customStatus });
      const server = await startServer({ engine: fakeEngine({ get: async () => instance }) });

      expect((await rest(server, "GET", a)).text).toContain(`"customStatus":${customStatus}`);
    },
  );

  test("shows a custom status that is nested too deeply as its text", async () => {
    const customStatus = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    const instance = fakeInstance({ customStatus });
    const server = await startServer({ engine: fakeEngine({ get: async () => instance }) });

    expect((await rest(server, "GET", a)).json).toMatchObject({ customStatus });
  });
});
