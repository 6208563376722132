// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { isLoopback, requireSafeExposure } from "./exposure.js";

test.each([
  ["127.0.0.1", true],
  ["127.255.0.9", true],
  ["::1", true],
  ["localhost", true],
  ["::ffff:127.0.0.1", true],
  ["0.0.0.0", false],
  ["::", false],
  ["10.0.0.1", false],
  ["localhost.example.com", false],
  ["", false],
])("isLoopback(%j) is %s", (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

const open = { host: "0.0.0.0", asksWho: false, hasTls: false, allowInsecureNetwork: false };

test("an open server on the network is refused, with what to do", () => {
  expect(() => requireSafeExposure(open)).toThrow(
    /^0\.0\.0\.0 can be reached .*--tokens-file .*--tls-cert .*--allow-insecure-network$/,
  );
});

test("an empty address, which is every address, is refused by a name of its own", () => {
  expect(() => requireSafeExposure({ ...open, host: "" })).toThrow(/^an empty address can be/);
});

test.each([
  [{ host: "127.0.0.1" }, undefined],
  [{ asksWho: true, hasTls: true }, undefined],
  [{ asksWho: true }, /no TLS/],
  [{ hasTls: true }, /anybody .* no tokens/],
  [{ allowInsecureNetwork: true }, /anybody .* read on the network/],
])("%j is let pass", (given, weakness) => {
  const told = requireSafeExposure({ ...open, ...given });
  if (weakness === undefined) expect(told).toBeUndefined();
  else expect(told).toMatch(weakness);
});
