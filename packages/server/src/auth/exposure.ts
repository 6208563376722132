// SPDX-License-Identifier: Apache-2.0

import { BlockList, isIP } from "node:net";
import { EngineError } from "@pawl/engine";

/** What decides whether a server may be reached from other machines. */
export interface Exposure {
  readonly host: string;
  /** Callers must show a token or a certificate. */
  readonly asksWho: boolean;
  readonly hasTls: boolean;
  /** The user has said that it is fine. */
  readonly allowInsecureNetwork: boolean;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8);
loopback.addAddress("::1", "ipv6");

/** Whether an address is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  if (isIP(host) === 0) {
    return host === "localhost";
  }
  return loopback.check(host, isIP(host) === 6 ? "ipv6" : "ipv4");
}

/**
 * Refuses to listen to the network where nobody is asked who they are and nothing is encrypted.
 * @returns what is still weak, for the log; `undefined` when nothing is
 * @throws INVALID_ARGUMENT
 */
export function requireSafeExposure(exposure: Exposure): string | undefined {
  const { host, asksWho, hasTls, allowInsecureNetwork } = exposure;
  if (isLoopback(host) || (asksWho && hasTls)) {
    return undefined;
  }
  if (!asksWho && !hasTls && !allowInsecureNetwork) {
    throw new EngineError(
      "INVALID_ARGUMENT",
      `${host || "an empty address"} can be reached from other machines, and neither tokens nor TLS protect it; give --tokens-file (or DAPR_API_TOKEN) and --tls-cert with --tls-key, listen on 127.0.0.1, or say --allow-insecure-network`,
    );
  }
  if (asksWho) {
    return "tokens and payloads can be read on the network: there is no TLS";
  }
  return hasTls
    ? "anybody who reaches the port may do everything: there are no tokens and no --tls-client-ca"
    : "anybody who reaches the port may do everything, and all can be read on the network";
}
