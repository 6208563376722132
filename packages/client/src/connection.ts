// SPDX-License-Identifier: Apache-2.0

import type { Transport } from "@connectrpc/connect";
import { PawlError } from "./errors.js";
import { type ConnectionOptions, defaultBaseUrl } from "./options.js";
import type { ManagementPort } from "./port.js";
import { createRemoteManagement } from "./remote/management.js";
import { createServerTransports } from "./transport.js";
import { createEmbeddedLink } from "./worker/link/embedded-link.js";
import { createStreamLink } from "./worker/link/stream-link.js";
import type { WorkLink } from "./worker/link/work.js";

/**
 * A way to an engine that a client and workers share.
 * @internal
 */
export interface Connection {
  readonly management: ManagementPort;
  createWorkLink(): WorkLink;
  /** Closes what this connection opened itself. */
  close(): void;
}

/**
 * Makes a connection; nothing is opened before it is needed.
 * @throws INVALID_ARGUMENT when more than one way is given, or `token`, `tls` or `component`
 * without a server
 */
export function createConnection(options: ConnectionOptions): Connection {
  const { baseUrl, transport, engine, token, tls, component } = options;
  const ways = [baseUrl, transport, engine].filter((way) => way !== undefined);
  if (ways.length > 1) {
    throw new PawlError("INVALID_ARGUMENT", "give one of baseUrl, transport and engine");
  }
  if (transport !== undefined || engine !== undefined) {
    if (token !== undefined || tls !== undefined || component !== undefined) {
      throw new PawlError("INVALID_ARGUMENT", "token, tls and component go with baseUrl only");
    }
  }
  if (engine !== undefined) {
    return {
      management: engine,
      createWorkLink: () => createEmbeddedLink(engine),
      close() {},
    };
  }
  if (transport !== undefined) return connectionOver(transport, transport, () => {});
  const { calls, stream, close } = createServerTransports(baseUrl ?? defaultBaseUrl, options);
  return connectionOver(calls, stream, close);
}

function connectionOver(calls: Transport, stream: Transport, close: () => void): Connection {
  return {
    management: createRemoteManagement(calls),
    createWorkLink: () => createStreamLink(stream),
    close,
  };
}
