// SPDX-License-Identifier: Apache-2.0

import type { IncomingHttpHeaders } from "node:http";
import { EngineError } from "@pawl/engine";
import { anonymous, type Caller, hasScope } from "./caller.js";
import { accessOf, type Operation, type Scope } from "./operation.js";
import type { TokenSet } from "./token-set.js";

/** The header that carries a token, as in Dapr. */
export const tokenHeader = "dapr-api-token";

/** What a server asks of its callers, as it is now. */
export class Credentials {
  readonly #certificates: boolean;
  #tokens: TokenSet;

  /** @param certificates callers must have one; the handshake has seen to it that it is good */
  constructor(tokens: TokenSet, certificates: boolean) {
    this.#tokens = tokens;
    this.#certificates = certificates;
  }

  /** Whether callers must show who they are. */
  get required(): boolean {
    return this.#tokens.size > 0 || this.#certificates;
  }

  /** Takes other tokens from now on. */
  replaceTokens(tokens: TokenSet): void {
    this.#tokens = tokens;
  }

  /** Whether a caller that was let in would still be. */
  isValid({ token }: Caller): boolean {
    return token === undefined ? this.#tokens.size === 0 : this.#tokens.has(token);
  }

  /**
   * Who sent a request with these headers, over a connection with this certificate. Where there are
   * tokens too, a certificate alone is not enough; where there are none, it may do everything, and a
   * policy says what it may not.
   * @throws UNAUTHENTICATED
   */
  identify(headers: IncomingHttpHeaders, certificate: string | undefined): Caller {
    if (!this.required) {
      return anonymous;
    }
    if (this.#certificates && certificate === undefined) {
      throw new EngineError("UNAUTHENTICATED", "a client certificate is needed");
    }
    const byCertificate = certificate === undefined ? [] : [`certificate:${certificate}`];
    if (this.#tokens.size === 0) {
      return { names: byCertificate, scopes: new Set<Scope>(["admin"]) };
    }
    const text = tokenOf(headers);
    if (text === undefined) {
      throw new EngineError(
        "UNAUTHENTICATED",
        `a token is needed: send it in the header "${tokenHeader}", or as "authorization: Bearer TOKEN"`,
        { details: { token: "missing" } },
      );
    }
    const token = this.#tokens.find(text);
    if (token === undefined) {
      throw new EngineError("UNAUTHENTICATED", "the token is not one of this server's", {
        details: { token: "unknown" },
      });
    }
    return {
      names: [`token:${token.name}`, ...byCertificate],
      scopes: new Set(token.scopes),
      token,
    };
  }
}

/**
 * Checks that a caller may do an operation at all. `undefined` is a path that leads nowhere: whoever
 * is known may learn that.
 * @throws PERMISSION_DENIED
 */
export function requireAccess(caller: Caller, operation: Operation | undefined): void {
  const access = operation === undefined ? "known" : accessOf(operation);
  if (typeof access === "string" || hasScope(caller, access)) {
    return;
  }
  const wanted = access.map((scope) => `"${scope}"`).join(" or ");
  const has = [...caller.scopes].map((scope) => `"${scope}"`).join(", ");
  throw new EngineError(
    "PERMISSION_DENIED",
    `"${operation}" needs the scope ${wanted}; ${caller.names.join(", ")} has ${has || "none"}`,
    { details: { operation: operation ?? "" } },
  );
}

/** The token of a request. A header that was sent twice arrives joined, and is no token. */
function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  const own = headers[tokenHeader];
  if (own !== undefined) {
    return Array.isArray(own) ? own.join(", ") : own;
  }
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
}
