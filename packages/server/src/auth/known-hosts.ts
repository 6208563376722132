// SPDX-License-Identifier: Apache-2.0

import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { EngineError } from "@pawl/engine";
import { isLoopback } from "./exposure.js";

/** By which names a server may be called that asks nobody who they are. */
export interface HostOptions {
  /** Address that the server listens on. */
  readonly host: string;
  /** Names beside those of this machine. */
  readonly allowedHosts: readonly string[];
}

/** A name, without scheme, port or path. */
const hostName = /^(?!-)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/**
 * The names by which a server may be called. A page can have its own name lead to this machine (DNS
 * rebinding), and is then, for the browser, of the server's own origin: only the name in the request
 * tells it from a caller of this machine. An address cannot be made to lead elsewhere.
 */
export class KnownHosts {
  readonly #names: ReadonlySet<string>;
  readonly #isChecked: boolean;
  /** What was found good last: nearly every request has the same. */
  #lastGood: string | undefined;

  /**
   * A server that the network may reach is called by names that it cannot know: there they are looked at only
   * when some are named.
   * @throws INVALID_ARGUMENT
   */
  constructor({ host, allowedHosts }: HostOptions) {
    this.#names = new Set(["localhost", host.toLowerCase(), ...allowedHosts.map(requireHostName)]);
    this.#isChecked = isLoopback(host) || allowedHosts.length > 0;
  }

  /**
   * Refuses a request to a name that is not known.
   * @throws PERMISSION_DENIED
   */
  require(headers: IncomingHttpHeaders): void {
    const authority = headers[":authority"] ?? headers.host;
    // Every browser names the host that it calls.
    if (!this.#isChecked || typeof authority !== "string" || authority === this.#lastGood) {
      return;
    }
    if (authority !== "" && !this.#knows(authority)) {
      throw new EngineError(
        "PERMISSION_DENIED",
        `this server asks for no token, and may not be called as ${JSON.stringify(authority)}; --allowed-host names other hosts than this machine's`,
      );
    }
    this.#lastGood = authority;
  }

  #knows(authority: string): boolean {
    if (!URL.canParse(`http://${authority}`)) {
      return false;
    }
    const { hostname } = new URL(`http://${authority}`);
    const name = hostname.replace(/^\[(.*)\]$|\.$/, "$1");
    return isIP(name) !== 0 || name.endsWith(".localhost") || this.#names.has(name);
  }
}

function requireHostName(text: string): string {
  const name = text.toLowerCase();
  if (!hostName.test(name)) {
    throw new EngineError(
      "INVALID_ARGUMENT",
      `--allowed-host: "${text}" is not a host's name like "pawl.example.com"; names have no port, and "*" is not taken`,
    );
  }
  return name;
}
