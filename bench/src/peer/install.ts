// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Installed, type PeerName } from "./peers.js";
import { findPostgres } from "./postgres.js";

const sourceFolder = fileURLToPath(new URL("../../peers", import.meta.url));
const cacheFolder = fileURLToPath(new URL("../../../.cache/bench", import.meta.url));

/** Says what was installed from which files, so that it is done again when they change. */
const stampName = "installed.stamp";

/**
 * Installs peers from their registries into a cache folder, each with its own package file. One that
 * cannot be installed has a reason instead.
 */
export async function installPeers(
  peers: Iterable<PeerName>,
  progress: (line: string) => void,
): Promise<Installed> {
  const folders = new Map<PeerName, string>();
  const reasons = new Map<PeerName, string>();
  for (const peer of peers) {
    try {
      folders.set(peer, await installPeer(peer, progress));
    } catch (error) {
      reasons.set(peer, error instanceof Error ? error.message : String(error));
    }
  }
  return new Installed(folders, reasons);
}

async function installPeer(peer: PeerName, progress: (line: string) => void): Promise<string> {
  if (peer === "dbos") await findPostgres();
  const folder = join(cacheFolder, peer);
  const source = join(sourceFolder, peer);
  await mkdir(folder, { recursive: true });
  await cp(source, folder, { recursive: true });
  const stamp = await hashFolder(source);
  const stampFile = join(folder, stampName);
  if ((await readFile(stampFile, "utf8").catch(() => "")) === stamp) return folder;
  progress(`installing ${peer}`);
  if (peer === "go") await runIn(folder, "go", ["build", "-o", "bench-go", "."]);
  else await runIn(folder, "npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"]);
  await writeFile(stampFile, stamp);
  return folder;
}

async function hashFolder(folder: string): Promise<string> {
  const hash = createHash("sha256");
  for (const name of (await readdir(folder)).sort()) {
    hash.update(name).update(await readFile(join(folder, name)));
  }
  return hash.digest("hex");
}

/** Runs a command; what it prints goes to standard error, since standard output has the results. */
function runIn(cwd: string, command: string, commandArguments: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...commandArguments], { cwd, stdio: ["ignore", 2, 2] });
    child.once("error", () => reject(new Error(`${command} is not installed`)));
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ${commandArguments.join(" ")} failed with code ${code}`));
    });
  });
}
