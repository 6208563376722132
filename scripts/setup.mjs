// SPDX-License-Identifier: Apache-2.0

// Brings a clone to where it can run: dependencies, then the build. Each step is skipped when
// nothing that it depends on has changed. Runs on any Node from 20.15 on, with npm and nothing
// else. As a program: `node scripts/setup.mjs`.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { hashContents, hashTimes, readStamp, writeStamp } from "./stamp.mjs";
import {
  findPinnedNode,
  nodePath,
  readRootManifest,
  root,
  run,
  workspaceFolders,
} from "./workspace.mjs";

const installStamp = "node_modules/.cache/pawl/install.stamp";
const buildStamp = "node_modules/.cache/pawl/build.stamp";

/** Set-up failed; the message says which step and what to do. */
export class SetupError extends Error {}

/** Installs and builds what is needed. Progress goes to standard error. Throws SetupError. */
export async function setUp() {
  const manifest = readRootManifest();
  await installDependencies(manifest);
  if (findPinnedNode() === undefined) {
    const wanted = manifest.optionalDependencies.node;
    say(`Node ${wanted} could not be installed; going on with ${process.version}.`);
  }
  await build();
}

async function installDependencies(manifest) {
  const inputs = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"];
  for (const folder of workspaceFolders()) inputs.push(`${folder}/package.json`);
  const stamp = hashContents(inputs);
  if (readStamp(installStamp) === stamp) return;
  const pin = manifest.packageManager;
  const npx = process.platform === "win32" ? "npx.cmd" : "npx";
  const install = ["-y", pin, "install", "--frozen-lockfile", "--config.confirmModulesPurge=false"];
  await step(`Installing dependencies (${pin})`, "pnpm's messages are above.", () =>
    run(npx, install, { ...stepOutput(), env: process.env, shell: process.platform === "win32" }),
  );
  writeStamp(installStamp, stamp);
}

async function build() {
  const inputs = ["tsconfig.base.json", "turbo.json", "pnpm-lock.yaml"];
  const built = workspaceFolders().filter((folder) => existsSync(join(root, folder, "src")));
  for (const folder of built) {
    inputs.push(`${folder}/package.json`, `${folder}/tsconfig.json`, `${folder}/src`);
  }
  const stamp = `${hashTimes(inputs)} ${process.platform}`;
  const isBuilt = (folder) =>
    !existsSync(join(root, folder, "tsconfig.json")) || existsSync(join(root, folder, "dist"));
  if (readStamp(buildStamp) === stamp && built.every(isBuilt)) return;
  const turbo = join(root, "node_modules", "turbo", "bin", "turbo");
  const arguments_ = [turbo, "run", "build", "--output-logs=errors-only", "--no-update-notifier"];
  await step("Building", "The compiler's messages are above.", () =>
    run(nodePath(), arguments_, stepOutput()),
  );
  writeStamp(buildStamp, stamp);
}

async function step(title, hint, work) {
  say(`${title} …`);
  const startedAt = performance.now();
  const code = await work();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (code !== 0) {
    throw new SetupError(`${title} failed after ${seconds} s (exit code ${code}). ${hint}`);
  }
  say(`${title}: done in ${seconds} s`);
}

/** Standard output belongs to the program that is set up; progress goes to standard error. */
function stepOutput() {
  return { stdio: ["ignore", process.stderr, process.stderr] };
}

function say(text) {
  process.stderr.write(`» ${text}\n`);
}

/** Runs `main`; a SetupError becomes one line and exit code 1. */
export async function runProgram(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`pawl: ${error.message}\n`);
    process.exitCode = 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await runProgram(setUp);
