// SPDX-License-Identifier: Apache-2.0

import { readdir, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** Where Debian's packages keep PostgreSQL's server programs, one folder a version. */
const debianFolder = "/usr/lib/postgresql";

/** The folder of PostgreSQL's server programs, of the newest version. Rejects when there is none. */
export async function findPostgres(): Promise<string> {
  const versions = (await readdir(debianFolder).catch(() => [])).sort(
    (a, b) => Number(b) - Number(a),
  );
  const candidates = [
    ...versions.map((version) => join(debianFolder, version, "bin")),
    ...(process.env.PATH ?? "").split(delimiter),
  ];
  for (const folder of candidates) {
    const names = await readdir(folder).catch((): string[] => []);
    if (names.includes("initdb") && names.includes("postgres")) return folder;
  }
  throw new Error("PostgreSQL is not installed (Debian: apt-get install postgresql)");
}

/** A user that is not root, as which PostgreSQL runs when this process is root's. */
export async function findPostgresUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = await readFile("/etc/passwd", "utf8");
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] =
      users
        .split("\n")
        .find((line) => line.startsWith(`${name}:`))
        ?.split(":") ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error("PostgreSQL does not run as root, and there is no user for it");
}
