// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { reasonOf } from "./reason.js";

/** As Connect's transport gives what Node failed with. */
function failure(code: string, message: string): ConnectError {
  const cause = Object.assign(new Error(message), { code });
  return new ConnectError(message, Code.Internal, undefined, undefined, cause);
}

test.each([
  ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "0A00045C:SSL routines", /--cert and --key/],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "0A000418:SSL routines", /^TLS with it failed: .*unknown ca$/],
  ["ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:9", /^connect ECONNREFUSED 127.0.0.1:9$/],
])("%s is told in words", (code, message, told) => {
  expect(reasonOf(failure(code, message))).toMatch(told);
});

test("what is no failure of a connection is told as it is", () => {
  expect(reasonOf(new ConnectError("no such instance", Code.NotFound))).toBe("no such instance");
  expect(reasonOf(new Error("no file"))).toBe("no file");
  expect(reasonOf("gone")).toBe("gone");
});
