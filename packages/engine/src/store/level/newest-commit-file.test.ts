// SPDX-License-Identifier: Apache-2.0

import fs, { mkdtempSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { NewestCommitFile, readNewestCommit } from "./newest-commit-file.js";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pawl-newest-"));
  path = join(folder, "newest-commit");
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(...commits: readonly number[]): void {
  const file = new NewestCommitFile(path, "store");
  for (const commit of commits) file.write(commit);
  file.close();
}

describe("the newest-commit file", () => {
  test("has the newest of all numbers", () => {
    expect(readNewestCommit(path, "store")).toBe(0);
    write(1, 2, 3, 2 ** 40);
    expect(readNewestCommit(path, "store")).toBe(2 ** 40);
    write(2 ** 40 + 1);
    expect(readNewestCommit(path, "store")).toBe(2 ** 40 + 1);
  });

  test("says nothing of another store", () => {
    write(7);
    expect(readNewestCommit(path, "other")).toBe(0);
  });

  test("never says more than was written, whichever byte has changed", () => {
    write(6, 7);
    const said = new Set<number>();
    const file = fs.openSync(path, "r+");
    for (const [at, byte] of readFileSync(path).entries()) {
      fs.writeSync(file, Buffer.of(byte ^ 0x10), 0, 1, at);
      said.add(readNewestCommit(path, "store"));
      fs.writeSync(file, Buffer.of(byte), 0, 1, at);
    }
    fs.closeSync(file);
    // Where the newest one has changed, the one before counts.
    expect(said).toEqual(new Set([6, 7]));
    truncateSync(path, 3);
    expect(readNewestCommit(path, "store")).toBe(0);
  });

  test("is let go of where its disk fails at the end: nothing rests on it", () => {
    const { closeSync } = fs;
    onTestFinished(() => {
      fs.closeSync = closeSync;
      syncBuiltinESMExports();
    });
    const file = new NewestCommitFile(path, "store");
    let closed = 0;
    fs.closeSync = (number) => {
      closed += 1;
      closeSync(number);
      throw new Error("EIO");
    };
    syncBuiltinESMExports();
    file.close();
    file.close();
    file.write(1);
    expect(closed).toBe(1);
  });

  test("is done without where it cannot be written", () => {
    const file = new NewestCommitFile(join(folder, "none", "newest-commit"), "store");
    file.write(1);
    file.close();
    expect(readNewestCommit(folder, "store")).toBe(0);
  });
});
