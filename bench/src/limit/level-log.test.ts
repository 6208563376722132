// SPDX-License-Identifier: Apache-2.0

import { Level } from "level";
import { expect, onTestFinished, test } from "vitest";
import { makeTempFolder, removeTempFolder } from "../process/temp-folder.js";
import { partsOf, readLoggedBatches } from "./level-log.js";

test("readLoggedBatches() gives back what was written, also across blocks", async () => {
  const folder = await makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const db = new Level<string, string>(folder);
  const long = "v".repeat(100_000);
  await db.batch([
    { type: "put", key: "a", value: "1" },
    { type: "put", key: "b", value: long },
  ]);
  await db.batch([{ type: "del", key: "a" }]);
  await db.close();

  const batches = await readLoggedBatches(folder);

  const text = batches.map((writes) =>
    writes.map((write) => [write.type, ...partsOf(write).map((part) => part.toString())]),
  );
  expect(text).toEqual([
    [
      ["put", "a", "1"],
      ["put", "b", long],
    ],
    [["del", "a"]],
  ]);
});
