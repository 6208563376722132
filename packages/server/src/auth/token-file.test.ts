// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseTokenFile } from "./token-file.js";
import { TokenSet } from "./token-set.js";

const secret = "s3cret-s3cret-s3cret";

describe("parseTokenFile()", () => {
  test("takes tokens, and hashes of tokens", () => {
    const sha256 = createHash("sha256").update("another-token-of-ours").digest("hex");
    const tokens = new TokenSet(
      parseTokenFile(
        "t.yaml",
        `tokens:
          - { name: ci, token: "${secret}", scopes: [read, operate] }
          - { name: worker, sha256: ${sha256}, scopes: [work] }`,
      ),
    );

    expect(tokens.find(secret)).toMatchObject({ name: "ci", scopes: ["operate", "read"] });
    expect(tokens.find("another-token-of-ours")).toMatchObject({ name: "worker" });
    expect(tokens.find(sha256)).toBeUndefined();
  });

  test("takes JSON, which is YAML too", () => {
    const text = JSON.stringify({ tokens: [{ name: "a", token: secret, scopes: ["read"] }] });
    expect(parseTokenFile("t.json", text)).toHaveLength(1);
  });

  test.each([
    [
      "tokens:\n  - name: a\n    token: short\n    scopes: [read]",
      "t:3: tokens[0].token: must have at least 16 characters",
    ],
    [
      `tokens:\n  - name: a\n    token: ${secret}\n    scopes:\n      - read\n      - write`,
      "t:6: tokens[0].scopes[1]: must be one of read, operate, work, admin",
    ],
    [
      `tokens:\n  - name: a\n    token: ${secret}`,
      "t:2: tokens[0].scopes: must be a list of scopes",
    ],
    [
      "tokens:\n  - name: a\n    scopes: [read]",
      "t:2: tokens[0]: must have one of token and sha256",
    ],
    [
      `tokens:\n  - name: a\n    token: ${secret}\n    scopes: [read]\n    admin: true`,
      't:2: tokens[0]: Unrecognized key: "admin"',
    ],
    [
      `tokens:\n  - {name: a, token: ${secret}, scopes: [read]}\n  - {name: a, token: ${secret}, scopes: [read]}`,
      't:3: tokens[1].name: "a" is named twice',
    ],
    ["tokens: []", "t:1: tokens: must not be empty"],
    [
      "tokens: [",
      "t:1: Flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
    ["", "t:1: Invalid input: expected object, received null"],
  ])("names file, line and field: %j", (text, message) => {
    expect(() => parseTokenFile("t", text)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message }),
    );
  });

  test("tells no token", () => {
    const text = `tokens:\n  - {name: a, token: "${secret} ", scopes: [read]}`;
    expect(() => parseTokenFile("t", text)).toThrow(/printable/);
    expect(() => parseTokenFile("t", text)).not.toThrow(new RegExp(secret));
  });
});
