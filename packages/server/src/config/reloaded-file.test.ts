// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { openReloaded } from "./reloaded-file.js";

const log = { debug() {}, info() {}, warn() {}, error: vi.fn() };
const busy = { timeout: 20_000 };

/** A file that is replaced at once, as those are that a server follows. */
async function makeFile(): Promise<{ file: string; replace(text: string): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "pawl-reloaded-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "file");
  const replace = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  await replace("first");
  return { file, replace };
}

/** What both tests have in common. */
const common = { what: "file", reloadIntervalMs: 1, log };

test("has what the file says now, unless that is not good", async () => {
  const { file, replace } = await makeFile();
  const read = async (): Promise<string> => {
    const text = await readFile(file, "utf8");
    if (text === "bad") throw new Error("it is bad");
    return text;
  };
  const opened = await openReloaded({ ...common, files: [file], read, changed() {} });
  onTestFinished(() => opened.stop());
  expect(opened.value).toBe("first");
  await replace("second");
  await vi.waitFor(() => expect(opened.value).toBe("second"), busy);
  await replace("bad");
  await vi.waitFor(() => expect(log.error).toHaveBeenCalledOnce(), busy);
  expect(opened.value).toBe("second");
});

test("has what the file said last when it changes while it is read first", async () => {
  const { file, replace } = await makeFile();
  const changed = Promise.withResolvers<string>();
  let reads = 0;
  const read = async (): Promise<string> => {
    reads += 1;
    const text = await readFile(file, "utf8");
    if (reads > 1) return text;
    await replace("second");
    await changed.promise;
    return text;
  };
  const opened = await openReloaded({ ...common, files: [file], read, changed: changed.resolve });
  onTestFinished(() => opened.stop());
  expect(opened.value).toBe("second");
});

test("stays with what was taken when what is new is not", async () => {
  const { file, replace } = await makeFile();
  const refused = Promise.withResolvers<void>();
  const opened = await openReloaded({
    ...common,
    files: [file],
    read: () => readFile(file, "utf8"),
    changed() {
      setImmediate(refused.resolve);
      throw new Error("it is not taken");
    },
  });
  onTestFinished(() => opened.stop());
  await replace("second");
  await refused.promise;
  expect(opened.value).toBe("first");
});
