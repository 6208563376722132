// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { EngineError } from "@pawl/engine";

/** Files for TLS to a server, PEM. */
export interface IdentityFlags {
  /** The authorities that the server's certificate may be of. @default the system's */
  readonly ca?: string;
  /** The certificate to show to the server. @default none */
  readonly cert?: string;
  /** The private key of `cert`. */
  readonly key?: string;
}

/** Reads the files. @throws INVALID_ARGUMENT */
export function readIdentity(
  address: string,
  { ca, cert, key }: IdentityFlags,
): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  if ((cert === undefined) !== (key === undefined)) {
    throw new EngineError("INVALID_ARGUMENT", "--cert and --key go together");
  }
  const files = Object.entries({ ca, cert, key }).flatMap(([flag, file]) =>
    file === undefined ? [] : [{ flag, file }],
  );
  if (files.length > 0 && !/^https:/i.test(address)) {
    throw new EngineError("INVALID_ARGUMENT", `--${files[0]?.flag} needs an address with https:`);
  }
  return Object.fromEntries(files.map(({ flag, file }) => [flag, readPem(flag, file)]));
}

function readPem(flag: string, file: string): Buffer {
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError("INVALID_ARGUMENT", `--${flag}: cannot read ${file} (${reason})`);
  }
  if (text.includes("-----BEGIN ")) return text;
  throw new EngineError("INVALID_ARGUMENT", `--${flag}: ${file} is not in PEM form`);
}
