// SPDX-License-Identifier: Apache-2.0

import type { Listener } from "../listen.js";
import type { ResolvedServerOptions } from "../options.js";
import { splitUrl } from "../rest/handler.js";
import type { RestRouter } from "../rest/router.js";
import { openTlsFiles, type TlsMaterial } from "../tls/tls-files.js";
import { rpcOperations } from "./access.js";
import { Credentials } from "./credentials.js";
import { requireSafeExposure } from "./exposure.js";
import { Gate } from "./gate.js";
import type { Operation } from "./operation.js";
import type { TokenSet } from "./token-set.js";
import { openTokens } from "./token-source.js";

/** All that stands between the network and the handlers. */
export interface Security {
  readonly gate: Gate;
  readonly hasTls: boolean;
  /** Puts TLS on a listener, if there is to be any, and keeps its certificate up to date. */
  useTls(listener: Listener): void;
  /** Stops looking after files. */
  close(): void;
}

/**
 * Reads tokens and certificates, and follows their changes until it is closed.
 * @throws INVALID_ARGUMENT when a file is not good, or the server would be open to the network
 */
export async function openSecurity(
  router: RestRouter,
  options: ResolvedServerOptions,
): Promise<Security> {
  const { strictDapr, logger: log } = options;
  let takeTokens = (_tokens: TokenSet): void => {};
  let takeTls = (_material: TlsMaterial): void => {};
  const tls = await openTlsFiles({ ...options, log }, (material) => takeTls(material));
  const stops = [tls.stop];
  const close = (): void => {
    for (const stop of stops) {
      stop();
    }
  };
  try {
    const { tokens, stop } = await openTokens({ ...options, log }, (changed) =>
      takeTokens(changed),
    );
    stops.push(stop);
    const credentials = new Credentials(tokens, tls.material?.ca !== undefined);
    const hasTls = tls.material !== undefined;
    const weakness = requireSafeExposure({ ...options, hasTls, asksWho: credentials.required });
    if (weakness !== undefined) {
      log.warn({ host: options.host }, weakness);
    }
    const gate = new Gate({ credentials, operationOf: operationsOf(router), strictDapr, log });
    takeTokens = (changed) => {
      credentials.replaceTokens(changed);
      gate.endRevoked();
    };
    return {
      gate,
      hasTls,
      useTls(listener) {
        if (tls.material !== undefined) {
          listener.useTls(tls.material);
          takeTls = (material) => listener.useTls(material);
        }
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Finds the operation of a request as the handlers will find its handler. */
function operationsOf(router: RestRouter): (method: string, url: string) => Operation | undefined {
  return (method, url) =>
    rpcOperations.get(url.split("?", 1)[0] ?? "") ??
    router.find(method, splitUrl(url).path)?.route.operation;
}
