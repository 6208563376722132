// SPDX-License-Identifier: Apache-2.0

// Finds, or makes inside the repository, the programs of other languages that suites need. Each
// function resolves with a path, or throws ToolMissing with the reason in one line.

import { existsSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { hashContents, readStamp, writeStamp } from "./stamp.mjs";
import { capture, root } from "./workspace.mjs";

const grpcurlModule = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3";
const conformanceVersion = "v1.0.7";
const conformanceModule = `connectrpc.com/conformance/cmd/connectconformance@${conformanceVersion}`;
const installLimitMs = 15 * 60_000;
const isWindows = process.platform === "win32";

/** A program that a suite needs is not there; the message says what to install. */
export class ToolMissing extends Error {}

/** The path of a program on PATH, or undefined. */
export function findOnPath(name) {
  const file = isWindows ? `${name}.exe` : name;
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    if (folder !== "" && existsSync(join(folder, file))) return join(folder, file);
  }
  return undefined;
}

/** The path of a program on PATH. */
export function requireOnPath(name) {
  const path = findOnPath(name);
  if (path === undefined) throw new ToolMissing(`${name} is not installed`);
  return path;
}

/** grpcurl from PATH or .cache/bin; built there with Go when it is in neither. */
export async function requireGrpcurl() {
  const found = findOnPath("grpcurl");
  if (found !== undefined) return found;
  return buildWithGo("grpcurl", join(root, ".cache", "bin"), grpcurlModule);
}

/** The runner of the Connect conformance suite, in .cache; built with Go when it is not there. */
export function requireConformanceRunner() {
  const folder = join(root, ".cache", "bin", `conformance-${conformanceVersion}`);
  return buildWithGo("connectconformance", folder, conformanceModule);
}

/** The path of a Go program in a folder of ours, built there when it is not there yet. */
async function buildWithGo(name, folder, module) {
  const path = join(folder, isWindows ? `${name}.exe` : name);
  if (existsSync(path)) return path;
  if (findOnPath("go") === undefined)
    throw new ToolMissing(`go, to build ${name}, is not installed`);
  const env = { ...process.env, GOBIN: folder, GOFLAGS: "-mod=mod" };
  await install("go", ["install", module], { env });
  return path;
}

/**
 * The Python of a virtual environment of its own (`.venv`) for the folder's requirements.txt, with
 * the requirements installed. Made again when they change.
 */
export async function requirePython(folder) {
  const system = findOnPath("python3") ?? findOnPath("python");
  if (system === undefined) throw new ToolMissing("python3 is not installed");
  const requirements = `${folder}/requirements.txt`;
  const environment = join(root, folder, ".venv");
  const python = join(environment, isWindows ? "Scripts/python.exe" : "bin/python");
  const stampFile = `${folder}/.venv/requirements.stamp`;
  const stamp = hashContents([requirements]);
  if (existsSync(python) && readStamp(stampFile) === stamp) return python;
  await install(system, ["-m", "venv", "--clear", environment]);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  await install(python, [...pip, "-r", join(root, requirements)]);
  writeStamp(stampFile, stamp);
  return python;
}

/** Go from PATH, with the modules of the folder's go.mod downloaded. */
export async function requireGo(folder) {
  const go = requireOnPath("go");
  await install(go, ["mod", "download"], { cwd: join(root, folder) });
  return go;
}

/** Maven from PATH, which runs on a Java of this version or later that has a compiler. */
export async function requireMaven(javaVersion) {
  const maven = requireOnPath("mvn");
  const { output } = await capture(maven, ["--version"]);
  const [, version] = /^Java version: (\d+)/m.exec(output) ?? [];
  if (version === undefined || Number(version) < javaVersion) {
    const found = version === undefined ? "no Java" : `Java ${version}`;
    throw new ToolMissing(`Maven found ${found}; Java ${javaVersion} or later is needed`);
  }
  const [, home] = /runtime: (.+)$/m.exec(output) ?? [];
  const compiler = isWindows ? "javac.exe" : "javac";
  if (home !== undefined && !existsSync(join(home.trim(), "bin", compiler))) {
    throw new ToolMissing(`Maven found a Java ${version} without a compiler; a JDK is needed`);
  }
  return maven;
}

/** Runs a command that installs something, after saying so. A registry that does not answer is not waited for. */
async function install(command, commandArguments, options) {
  process.stdout.write(`» ${[basename(command), ...commandArguments].join(" ")} …\n`);
  const limited = { timeout: installLimitMs, killSignal: "SIGKILL", ...options };
  const { code, output } = await capture(command, commandArguments, limited);
  if (code === 0) return;
  const lastLine = output.trim().split("\n").at(-1) ?? "";
  throw new ToolMissing(`${basename(command)} ${commandArguments.join(" ")} failed: ${lastLine}`);
}
