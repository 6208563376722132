// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  type Ending,
  findPlace,
  makeFolder,
  type Program,
  placeFlags,
  runToEnd,
  useServer,
} from "./server-process.js";

/** One clear line on standard error, exit code not 0, no stack trace anywhere. */
function expectOneLine(ending: Ending, ...parts: readonly (string | RegExp)[]): void {
  expect(ending.code, ending.stderr).toBeGreaterThan(0);
  const lines = ending.stderr.trimEnd().split("\n");
  expect(lines, ending.stderr).toHaveLength(1);
  for (const part of parts) expect(lines[0]).toMatch(part);
  expect(ending.stdout + ending.stderr).not.toMatch(/^\s+at .+:\d+/m);
}

async function occupyPort(): Promise<number> {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  onTestFinished(() => void holder.close());
  return (holder.address() as AddressInfo).port;
}

const programs: readonly Program[] = ["server", "sample"];

for (const program of programs) {
  test(`${program}: a port in use is named`, async () => {
    const port = await occupyPort();
    const place = { ...(await findPlace()), port };
    expectOneLine(await runToEnd(program, placeFlags(place)), String(port), /in use/);
  });

  test(`${program}: a gRPC port in use is named`, async () => {
    const grpcPort = await occupyPort();
    const place = { ...(await findPlace()), grpcPort };
    expectOneLine(await runToEnd(program, placeFlags(place)), String(grpcPort), /in use/);
  });

  test(`${program}: a data folder in use by another process is named`, async () => {
    const running = await useServer();
    const { dataDir } = running.place;
    const place = { ...(await findPlace()), dataDir };
    expectOneLine(await runToEnd(program, placeFlags(place)), dataDir, /in use|locked/);
    const health = await fetch(`${running.url}/v1.0/healthz`);
    expect(health.status).toBe(204);
  });

  test.each([
    ["an unknown flag", ["--nonsense"], "--nonsense"],
    ["a port that is no number", ["--port", "abc"], "abc"],
    ["a port out of range", ["--port", "70000"], "70000"],
    ["an unknown store", ["--store", "tape"], "tape"],
  ])(`${program}: %s is named`, async (_title, flags, part) => {
    const place = await findPlace();
    expectOneLine(await runToEnd(program, [...placeFlags(place), ...flags]), part);
  });
}

test("a data folder that is a file is named", async () => {
  const dataDir = join(await makeFolder(), "file");
  await writeFile(dataDir, "not a folder");
  const place = { ...(await findPlace()), dataDir };
  expectOneLine(await runToEnd("server", placeFlags(place)), dataDir);
});

test("a folder with other files in it is left alone", async () => {
  const dataDir = await makeFolder();
  await writeFile(join(dataDir, "letter.txt"), "dear reader");
  const place = { ...(await findPlace()), dataDir };
  expectOneLine(await runToEnd("server", placeFlags(place)), dataDir);
});
