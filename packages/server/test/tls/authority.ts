// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { onTestFinished } from "vitest";

/** A certificate and its key, PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** From when to when a certificate is good. */
export interface Validity {
  readonly from?: Date;
  readonly until?: Date;
}

const dayMs = 86_400_000;

/** An instant so many days from now. */
export function inDays(days: number): Date {
  return new Date(Date.now() + days * dayMs);
}

const fast = { keyType: "ec", algorithm: "sha256" } as const;

/** Makes a certificate that is signed by itself. */
export async function createAuthority(name: string): Promise<Identity> {
  const extensions = [
    { name: "basicConstraints" as const, cA: true, critical: true },
    { name: "keyUsage" as const, keyCertSign: true, cRLSign: true, critical: true },
  ];
  const attributes = [{ name: "commonName", value: name }];
  const made = await generate(attributes, { ...fast, extensions });
  return { cert: made.cert, key: made.private };
}

/** Makes a certificate for loopback addresses, or for a caller, signed by an authority. */
export async function createIdentity(
  authority: Identity,
  name: string,
  { from = inDays(-2), until = inDays(30) }: Validity = {},
): Promise<Identity> {
  const extensions = [
    { name: "basicConstraints" as const, cA: false },
    { name: "keyUsage" as const, digitalSignature: true },
    { name: "extKeyUsage" as const, serverAuth: true, clientAuth: true },
    {
      name: "subjectAltName" as const,
      altNames: [
        { type: 2 as const, value: "localhost" },
        { type: 7 as const, ip: "127.0.0.1" },
      ],
    },
  ];
  const attributes = [
    { name: "organizationName", value: "Acme" },
    { name: "commonName", value: name },
  ];
  const made = await generate(attributes, {
    ...fast,
    extensions,
    notBeforeDate: from,
    notAfterDate: until,
    ca: authority,
  });
  return { cert: made.cert, key: made.private };
}

/** Files as a server takes them, in a folder that is removed after the test. */
export interface IdentityFiles {
  readonly tlsCertFile: string;
  readonly tlsKeyFile: string;
  /** Writes a file beside them and gives its name. */
  add(name: string, text: string): Promise<string>;
  /** Puts another identity into the same files. */
  replace(identity: Identity): Promise<void>;
}

/** Writes an identity to files. */
export async function writeIdentity(identity: Identity): Promise<IdentityFiles> {
  const folder = await mkdtemp(join(tmpdir(), "pawl-tls-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const files: IdentityFiles = {
    tlsCertFile: join(folder, "cert.pem"),
    tlsKeyFile: join(folder, "key.pem"),
    async add(name, text) {
      const file = join(folder, name);
      await writeFile(file, text);
      return file;
    },
    async replace({ cert, key }) {
      await writeFile(files.tlsCertFile, cert);
      await writeFile(files.tlsKeyFile, key);
    },
  };
  await files.replace(identity);
  return files;
}
