// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { watchFiles } from "./watched-file.js";

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-watched-"));
  file = join(folder, "watched");
  await writeFile(file, "first");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe("watchFiles()", () => {
  test("does not call back while a file is being written, and once when it is whole", async () => {
    const texts = ["", "sec", "second"];
    let looks = 0;
    const whenCalled: number[] = [];
    const list = async (): Promise<string[]> => {
      const text = looks === 0 ? undefined : texts.shift();
      looks += 1;
      if (text !== undefined) await writeFile(file, text);
      return [file];
    };
    const changed = async (): Promise<void> => void whenCalled.push(looks);
    const stop = await watchFiles(list, changed, 1);
    await vi.waitFor(() => expect(looks).toBeGreaterThan(10), 20_000);
    stop();
    // One look before, three that find it different from the last, one that finds it the same.
    expect(whenCalled).toEqual([5]);
  });

  test("calls back for a file that goes, and when it is back", async () => {
    const changed = vi.fn(async () => {});
    const stop = await watchFiles([file], changed, 1);
    await rm(file);
    await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1), 20_000);
    await writeFile(file, "again");
    await vi.waitFor(() => expect(changed.mock.calls.length).toBeGreaterThan(1), 20_000);
    stop();
  });
});
