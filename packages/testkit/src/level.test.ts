// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { activity, createClient, createWorker, event, type Logger, workflow } from "@pawl/client";
import { type Engine, openEngine } from "@pawl/engine";
import { afterEach, beforeEach, expect, test } from "vitest";

const silent: Logger = { info() {}, warn() {}, error() {} };
const go = event<number>("go");
const add = activity("add", (n: number) => n + 1);
const stepping = workflow("stepping", async (ctx, n: number) => {
  const one = await ctx.activity(add, n);
  const two = one + (await ctx.waitForEvent(go));
  return ctx.activity(add, two);
});

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "pawl-level-"));
});

afterEach(async () => {
  await rm(dataDir, { recursive: true });
});

/** Opens the folder with a client and a worker, for the length of `use`. */
async function withEngine<T>(
  use: (client: ReturnType<typeof createClient>, engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await openEngine({ dataDir });
  const client = createClient({ engine });
  const worker = createWorker({
    client,
    workflows: [stepping],
    activities: [add],
    logger: silent,
  });
  await worker.start();
  try {
    return await use(client, engine);
  } finally {
    await worker.stop();
    await engine.close();
  }
}

test("an instance goes on after its engine was closed and opened again", async () => {
  await withEngine(async (client, engine) => {
    await client.start(stepping, 1, { instanceId: "s" });
    await engine.idle();
  });
  const result = await withEngine(async (client) => {
    await client.raiseEvent("s", go, 10);
    return client.handle("s", stepping).result();
  });
  expect(result).toBe(13);
});

test("many instances at once run on disk", async () => {
  const results = await withEngine(async (client) => {
    const handles = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const handle = await client.start(stepping, n);
        await handle.raiseEvent(go, 1);
        return handle;
      }),
    );
    return Promise.all(handles.map((handle) => handle.result()));
  });
  expect(results).toEqual(Array.from({ length: 50 }, (_, n) => n + 3));
});
