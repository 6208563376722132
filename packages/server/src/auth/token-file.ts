// SPDX-License-Identifier: Apache-2.0

import * as z from "zod";
import { parseYamlFile } from "../config/yaml-file.js";
import { type Scope, scopes } from "./operation.js";
import { digestToken, type KnownToken } from "./token-set.js";

/** Characters below which a token could be guessed. */
const tokenLength = 16;

/** What a header can carry unchanged. */
const token = z
  .string("must be text; put it in quotes")
  .min(tokenLength, `must have at least ${tokenLength} characters`)
  .max(4096, "must have at most 4096 characters")
  .regex(/^[\x21-\x7e]*$/, "must be of printable ASCII characters without spaces");

const entry = z
  .strictObject({
    name: z
      .string("must be a name")
      .regex(/^[\w.-]{1,64}$/, "must be 1 to 64 letters, digits, '.', '_' or '-'"),
    token: token.optional(),
    sha256: z
      .string("must be text; put it in quotes")
      .regex(/^[\da-f]{64}$/i, "must be 64 hexadecimal digits")
      .optional(),
    scopes: z
      .array(z.enum(scopes, `must be one of ${scopes.join(", ")}`), "must be a list of scopes")
      .min(1, "must have at least one scope"),
  })
  .refine(
    (value) => (value.token === undefined) !== (value.sha256 === undefined),
    "must have one of token and sha256",
  );

const tokenFile = z
  .strictObject({ tokens: z.array(entry, "must be a list of tokens").min(1, "must not be empty") })
  .superRefine(({ tokens }, context) => {
    for (const [index, { name }] of tokens.entries()) {
      if (tokens.findIndex((other) => other.name === name) !== index) {
        const path = ["tokens", index, "name"];
        context.addIssue({ code: "custom", path, message: `"${name}" is named twice` });
      }
    }
  });

/**
 * Reads the text of a tokens file: a list `tokens` of `name`, `scopes`, and `token` or the `sha256`
 * of one. No message holds a token.
 * @throws INVALID_ARGUMENT with file, line and field
 */
export function parseTokenFile(file: string, text: string): KnownToken[] {
  return parseYamlFile(file, text, tokenFile).tokens.map(({ name, token, sha256, scopes }) => ({
    name,
    digest: token === undefined ? Buffer.from(sha256 ?? "", "hex") : digestToken(token),
    scopes: [...new Set<Scope>(scopes)].sort(),
  }));
}
