// SPDX-License-Identifier: Apache-2.0

import { readNamedFile } from "../config/watched-file.js";
import { scopes } from "./operation.js";
import { parseTokenFile } from "./token-file.js";
import { digestToken, type KnownToken, TokenSet } from "./token-set.js";

/** Where tokens come from. */
export interface TokenOptions {
  /** One token with every scope; empty: none. */
  readonly apiToken: string;
  /** A file of further tokens; empty: none. */
  readonly tokensFile: string;
}

/**
 * Reads all tokens.
 * @throws INVALID_ARGUMENT when the file is not good
 */
export async function readTokens({ apiToken, tokensFile }: TokenOptions): Promise<TokenSet> {
  const fromFile =
    tokensFile === ""
      ? []
      : parseTokenFile(tokensFile, await readNamedFile(tokensFile, "--tokens-file"));
  const own: KnownToken = { name: "DAPR_API_TOKEN", digest: digestToken(apiToken), scopes };
  return new TokenSet(apiToken === "" ? fromFile : [own, ...fromFile]);
}
