// SPDX-License-Identifier: Apache-2.0

import { ConnectError } from "@connectrpc/connect";

const unknownAuthority =
  "its certificate is of no authority that is known here; --ca names a file with the authority's";

/** What to do about failures of which Node tells only in the words of OpenSSL or HTTP/2. */
const advice: ReadonlyMap<string, string> = new Map([
  ["ERR_SSL_WRONG_VERSION_NUMBER", "there is no TLS there; write http: instead of https:"],
  ["ERR_HTTP2_ERROR", "it does not answer in HTTP/2; write https: if the server has TLS"],
  [
    "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "it asks for a certificate; --cert and --key name the files with yours",
  ],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", unknownAuthority],
  ["SELF_SIGNED_CERT_IN_CHAIN", unknownAuthority],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", unknownAuthority],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", unknownAuthority],
]);

const sslPrefix = "ERR_SSL_";

/** What an error says to people. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error.cause);
  const known = advice.get(code);
  if (known !== undefined) return known;
  if (code.startsWith(sslPrefix)) {
    return `TLS with it failed: ${code.slice(sslPrefix.length).toLowerCase().replaceAll("_", " ")}`;
  }
  return error instanceof ConnectError ? error.rawMessage : error.message;
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}
