// SPDX-License-Identifier: Apache-2.0

// What the command line says of an address that is not the server's.

import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { backup } from "../../src/command/backup.js";
import { workers } from "../../src/command/workers.js";
import { keepTerminal } from "../terminal.js";
import { startServer } from "../test-server.js";
import { createAuthority, createIdentity, writeIdentity } from "./authority.js";

const terminal = keepTerminal();

/** What a command says of an address. */
async function complaintOf(address: string): Promise<string> {
  await workers({ address, token: "" });
  expect([terminal.take(), process.exitCode]).toEqual(["", 1]);
  return terminal.complained.splice(0).join("");
}

test("an address with https: of a server without TLS is to be written with http:", async () => {
  const address = `https://127.0.0.1:${(await startServer()).port}`;
  const reason = "there is no TLS there; write http: instead of https:\n";
  expect(await complaintOf(address)).toBe(`pawl: ${address}: ${reason}`);
  await backup(join(tmpdir(), "pawl-no-backup"), { address, token: "" });
  expect(terminal.complained.join("")).toBe(`pawl: no backup was made of ${address}: ${reason}`);
});

test("an address with http: of a server with TLS is to be written with https:", async () => {
  const authority = await createAuthority("Acme CA");
  const files = await writeIdentity(await createIdentity(authority, "server"));
  const { port } = await startServer(files);
  expect(await complaintOf(`http://127.0.0.1:${port}`)).toContain(
    "write https: if the server has TLS\n",
  );
  expect(await complaintOf(`https://127.0.0.1:${port}`)).toContain("--ca names a file");
});

test.each(["127.0.0.1:3500", "localhost:3500", "ftp://localhost", "http://", ""])(
  "%j is no address",
  async (address) => {
    expect(await complaintOf(address)).toMatch(/it is no URL like http:\/\/127\.0\.0\.1:3500\n$/);
  },
);
