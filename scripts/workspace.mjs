// SPDX-License-Identifier: Apache-2.0

// Where things are in this repository, and how to start its tools on the pinned Node.

import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const isWindows = process.platform === "win32";
const pinned = join(root, "node_modules", ".bin", isWindows ? "node.exe" : "node");

/** The root's package.json. */
export function readRootManifest() {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
}

/** The pinned Node, or undefined when its (optional) package is not there. */
export function findPinnedNode() {
  return existsSync(pinned) ? pinned : undefined;
}

/** The Node to run everything with: the pinned one, else the one that runs this. */
export function nodePath() {
  return findPinnedNode() ?? process.execPath;
}

/** The environment for tools: the pinned Node and the workspace's tools come first on PATH. */
export function toolEnvironment(extra = {}) {
  const separator = isWindows ? ";" : ":";
  return {
    ...process.env,
    PATH: `${join(root, "node_modules", ".bin")}${separator}${process.env.PATH ?? ""}`,
    TURBO_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
    ...extra,
  };
}

/** Folders of the workspace's packages, relative to the root, in a fixed order. */
export function workspaceFolders() {
  const folders = [];
  for (const parent of ["packages", "examples", "tests", "tests/interop"]) {
    const path = join(root, parent);
    if (!existsSync(path)) continue;
    for (const name of readdirSync(path).sort()) {
      if (existsSync(join(path, name, "package.json"))) folders.push(`${parent}/${name}`);
    }
  }
  if (existsSync(join(root, "bench", "package.json"))) folders.push("bench");
  return folders;
}

/**
 * Runs a command and resolves with its exit code (128 and more: ended by a signal, or, with 127,
 * could not be started).
 */
export function run(command, commandArguments, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, commandArguments, {
      cwd: root,
      env: toolEnvironment(),
      stdio: ["ignore", "inherit", "inherit"],
      ...options,
    });
    child.once("error", () => resolve(127));
    child.once("exit", (code, signal) => resolve(code ?? (signal ? 143 : 1)));
  });
}

/** Runs a command; resolves with its exit code and everything that it printed. */
export function capture(command, commandArguments, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, commandArguments, {
      cwd: root,
      env: toolEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
      ...options,
    });
    let output = "";
    const take = (chunk) => {
      output += chunk;
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.once("error", (error) => resolve({ code: 127, output: error.message }));
    child.once("close", (code) => resolve({ code: code ?? 143, output }));
  });
}
