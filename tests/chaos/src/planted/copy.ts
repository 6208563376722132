// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import type { PlantedFault } from "../../planted/index.ts";
import { plant } from "./plant.ts";

const root = resolve(import.meta.dirname, "../../../..");

/** What a program in the copy came to. */
export interface Outcome {
  /** False: something was wrong, or it did not end in time. */
  readonly isGood: boolean;
  /** It did not end in time, and was ended. */
  readonly isCut: boolean;
  readonly output: string;
}

const vitestConfig = `import { defineConfig } from "vitest/config";
export default defineConfig({ test: { include: ["packages/engine/{src,test}/**/*.test.ts"], testTimeout: 20000 } });
`;

/**
 * A copy of the engine and of these tests in a folder of its own, to plant faults in: the sources of
 * the working tree stay as they are. What is not changed is linked.
 */
export class Copy {
  readonly folder = mkdtempSync(join(tmpdir(), "pawl-planted-"));

  constructor() {
    const copied = (path: string) => {
      const skipped = new Set(["node_modules", ".cache"]);
      const filter = (source: string): boolean => !skipped.has(basename(source));
      cpSync(join(root, path), join(this.folder, path), { recursive: true, filter });
    };
    copied("packages/engine");
    copied("tests/chaos");
    copied("tsconfig.base.json");
    copied("package.json");
    writeFileSync(join(this.folder, "vitest.config.ts"), vitestConfig);
    this.#link("node_modules");
    this.#link("packages/protocol");
    this.#link("packages/engine/node_modules");
    this.#linkEach("tests/chaos/node_modules", "@pawl");
    this.#linkEach("tests/chaos/node_modules/@pawl", "engine");
    symlinkSync(
      join(this.folder, "packages/engine"),
      join(this.folder, "tests/chaos/node_modules/@pawl/engine"),
    );
  }

  #link(path: string): void {
    symlinkSync(join(root, path), join(this.folder, path));
  }

  /** A folder of links to all that another folder has, but for one. */
  #linkEach(path: string, without: string): void {
    mkdirSync(join(this.folder, path), { recursive: true });
    for (const name of readdirSync(join(root, path))) {
      if (name !== without && !name.startsWith(".")) this.#link(`${path}/${name}`);
    }
  }

  /** Puts a fault in. Gives back how to take it out. @throws PlantError */
  plant(fault: PlantedFault): () => void {
    const engine = join(this.folder, "packages/engine");
    const path = join(engine, "src", fault.file);
    const source = readFileSync(path);
    writeFileSync(path, plant(engine, fault));
    return () => writeFileSync(path, source);
  }

  /** Builds the engine. */
  build(): Promise<Outcome> {
    return this.run(60_000, join(root, "node_modules/.bin/tsc"), "-b", "packages/engine");
  }

  /** Runs Vitest on some tests of the engine; ends with the first failure. */
  test(limitMs: number, paths: readonly string[]): Promise<Outcome> {
    return this.run(limitMs, join(root, "node_modules/.bin/vitest"), "run", "--bail=1", ...paths);
  }

  /** Runs one of the programs of these tests. */
  chaos(limitMs: number, ...programArguments: readonly string[]): Promise<Outcome> {
    return this.run(limitMs, process.execPath, "tests/chaos/src/main.ts", ...programArguments);
  }

  /** Runs a program in the copy, for so long at most. */
  run(limitMs: number, program: string, ...programArguments: readonly string[]): Promise<Outcome> {
    return new Promise((end, fail) => {
      const child = spawn(program, programArguments, {
        cwd: this.folder,
        timeout: limitMs,
        killSignal: "SIGKILL",
      });
      let output = "";
      child.stdout.on("data", (data: Buffer) => {
        output += data.toString();
      });
      child.stderr.on("data", (data: Buffer) => {
        output += data.toString();
      });
      child.on("error", fail);
      child.on("close", (code, signal) => {
        end({ isGood: code === 0, isCut: signal === "SIGKILL", output });
      });
    });
  }

  /** Deletes the copy. */
  delete(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
