// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isEngineError } from "@pawl/engine";
import { afterEach, describe, expect, test } from "vitest";
import { createServer } from "../src/index.js";
import { fakeEngine } from "./fake-engine.js";
import { rest, startServer } from "./test-server.js";

const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

describe("createServer()", () => {
  test("serves the same on two ports", async () => {
    const probe = await startServer();
    const grpcPort = probe.port;
    await probe.close();

    const server = await startServer({ grpcPort });

    expect(server.grpcPort).toBe(grpcPort);
    expect(server.port).not.toBe(grpcPort);
    const second = await rest({ ...server, port: grpcPort }, "GET", "/v1.0/healthz");
    expect(second.status).toBe(204);
  });

  test("has no second port when the first is any free one", async () => {
    expect((await startServer()).grpcPort).toBe(0);
  });

  test("gives up its engine and ports when a port cannot be had", async () => {
    const taken = await startServer();
    const dataDir = await mkdtemp(join(tmpdir(), "pawl-server-"));
    folders.push(dataDir);
    const options = { port: 0, store: "level", dataDir } as const;

    await expect(createServer({ ...options, grpcPort: taken.port })).rejects.toMatchObject({
      code: "EADDRINUSE",
    });

    const server = await startServer(options);
    expect(server.engine.isReady()).toBe(true);
    await server.close();
  });

  test("says who has the data folder", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "pawl-server-"));
    folders.push(dataDir);
    const first = await startServer({ store: "level", dataDir });

    const second = createServer({ port: 0, store: "level", dataDir });

    await expect(second).rejects.toSatisfy(
      (error) => isEngineError(error) && error.code === "STORE_LOCKED",
    );
    await first.close();
  });

  test("leaves an engine that it was given open", async () => {
    let closed = 0;
    const engine = fakeEngine({
      close: async () => {
        closed += 1;
      },
    });

    const server = await startServer({ engine });
    await Promise.all([server.close(), server.close()]);

    expect(closed).toBe(0);
  });
});
