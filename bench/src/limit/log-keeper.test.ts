// SPDX-License-Identifier: Apache-2.0

import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Level } from "level";
import { expect, onTestFinished, test } from "vitest";
import { makeTempFolder, removeTempFolder } from "../process/temp-folder.js";
import { isLog, readLoggedBatches } from "./level-log.js";
import { LogKeeper } from "./log-keeper.js";

/** A few of them fill a log. */
const valueBytes = 10_000;
const keys = Array.from({ length: 100 }, (_, index) => `key ${index}`);

/** Writes so much that LevelDB makes tables of its first logs. Gives the logs kept, and those it has left. */
async function keepLogs(): Promise<{ kept: string; left: string[] }> {
  const folder = await makeTempFolder();
  const kept = await makeTempFolder();
  onTestFinished(async () => {
    await removeTempFolder(folder);
    await removeTempFolder(kept);
  });
  const db = new Level<string, Buffer>(folder, {
    valueEncoding: "buffer",
    writeBufferSize: 64 * 1024,
  });
  await db.open();
  const keeper = new LogKeeper(folder, kept);
  for (const key of keys) {
    await db.batch([{ type: "put", key, value: Buffer.alloc(valueBytes, key) }], { sync: true });
  }
  await db.close();
  keeper.close();
  return { kept, left: (await readdir(folder)).filter(isLog) };
}

test("LogKeeper keeps every batch, also of logs that LevelDB has deleted", async () => {
  const { kept, left } = await keepLogs();

  const batches = await readLoggedBatches(kept);

  expect((await readdir(kept)).length).toBeGreaterThan(left.length);
  expect(batches.map(([write]) => write?.key.toString())).toEqual(keys);
});

test("readLoggedBatches() throws when a log between others is missing", async () => {
  const { kept } = await keepLogs();
  const logs = (await readdir(kept)).sort();
  expect(logs.length).toBeGreaterThan(2);
  await rm(join(kept, logs[1] ?? ""));

  await expect(readLoggedBatches(kept)).rejects.toThrow(/are in no log of/);
});
