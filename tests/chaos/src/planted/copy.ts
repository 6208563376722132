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
import { pathOf, plant } from "./plant.ts";

const root = resolve(import.meta.dirname, "../../../..");

/** What a program in the copy came to. */
export interface Outcome {
  /** False: something was wrong, or it did not end in time. */
  readonly isGood: boolean;
  /** It did not end in time, and was ended. */
  readonly isCut: boolean;
  readonly output: string;
}

/** What a package's own tests are, without those of the others. */
const vitestConfigOf = (name: string) => `import { defineConfig } from "vitest/config";
export default defineConfig({ test: { include: ["packages/${name}/{src,test}/**/*.test.ts"], testTimeout: 20000 } });
`;

/** Packages that faults are planted in. */
export type PlantedPackage = "engine" | "server";

const configOf = (name: PlantedPackage): string => `vitest.${name}.config.ts`;

/**
 * A copy of the engine, the server and these tests in a folder of its own, to plant faults in: the sources of
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
    copied("packages/server");
    copied("tests/chaos");
    copied("tsconfig.base.json");
    copied("package.json");
    for (const name of ["engine", "server"] as const) {
      writeFileSync(join(this.folder, configOf(name)), vitestConfigOf(name));
    }
    this.#link("node_modules");
    this.#link("packages/protocol");
    this.#link("packages/engine/node_modules");
    // The server's tests run over the engine as it is.
    this.#link("packages/server/node_modules");
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
    const packages = join(this.folder, "packages");
    const path = pathOf(packages, fault);
    const source = readFileSync(path);
    writeFileSync(path, plant(packages, fault));
    return () => writeFileSync(path, source);
  }

  /** Builds the engine. */
  build(): Promise<Outcome> {
    return this.run(60_000, join(root, "node_modules/.bin/tsc"), "-b", "packages/engine");
  }

  /** Runs Vitest on some tests of a package; ends with the first failure. */
  test(limitMs: number, name: PlantedPackage, paths: readonly string[]): Promise<Outcome> {
    const vitest = join(root, "node_modules/.bin/vitest");
    return this.run(limitMs, vitest, "run", "--bail=1", "--config", configOf(name), ...paths);
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
