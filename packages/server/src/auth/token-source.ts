// SPDX-License-Identifier: Apache-2.0

import { readNamedFile, watchFiles } from "../config/watched-file.js";
import type { ServerLogger } from "../options.js";
import { scopes } from "./operation.js";
import { parseTokenFile } from "./token-file.js";
import { digestToken, type KnownToken, TokenSet } from "./token-set.js";

/** Where tokens come from. */
export interface TokenOptions {
  /** One token with every scope; empty: none. */
  readonly apiToken: string;
  /** A file of further tokens; empty: none. */
  readonly tokensFile: string;
  /** Milliseconds between two looks at the file. */
  readonly reloadIntervalMs: number;
  readonly log: ServerLogger;
}

/**
 * Reads the tokens, and the file again whenever it changes. A file that cannot be read any more, or
 * has mistakes, changes nothing: the log says so, and the tokens stay as they were.
 * @throws INVALID_ARGUMENT when the file is not good at the start
 */
export async function openTokens(
  options: TokenOptions,
  changed: (tokens: TokenSet) => void,
): Promise<{ readonly tokens: TokenSet; stop(): void }> {
  const { tokensFile: file, log, reloadIntervalMs } = options;
  const reload = async (): Promise<void> => {
    try {
      const replaced = new TokenSet(await readTokens(options));
      changed(replaced);
      log.info({ file, tokens: replaced.size }, "tokens reloaded");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error({ file, reason }, "tokens not reloaded; the old ones stay");
    }
  };
  const stop = await watchFiles(file === "" ? [] : [file], reload, reloadIntervalMs);
  try {
    return { tokens: new TokenSet(await readTokens(options)), stop };
  } catch (error) {
    stop();
    throw error;
  }
}

async function readTokens({ apiToken, tokensFile }: TokenOptions): Promise<KnownToken[]> {
  const fromFile =
    tokensFile === ""
      ? []
      : parseTokenFile(tokensFile, await readNamedFile(tokensFile, "--tokens-file"));
  const own: KnownToken = { name: "DAPR_API_TOKEN", digest: digestToken(apiToken), scopes };
  return apiToken === "" ? fromFile : [own, ...fromFile];
}
