// SPDX-License-Identifier: Apache-2.0

import type { ConnectError } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  endStreamFlag,
  endStreamToJson,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import type { EngineError } from "@pawl/engine";
import { errorMap } from "../error-map.js";
import { toConnectError } from "../interceptor/error.js";
import { setGrpcStatus } from "../rpc/grpc-status.js";
import { rpcOperations } from "./access.js";
import { asDaprRefusal } from "./dapr-refusal.js";

/** The answer to a request that is not let in. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** Over HTTP/2 the stream is reset with this code instead, and nothing answered. @default it is answered */
  readonly resetCode?: number;
}

/** What of a request decides in which form it is refused. */
export interface RefusedRequest {
  /** Path without its query. */
  readonly path: string;
  readonly contentType: string;
}

/**
 * Puts an error into the form of the protocol that the request speaks, before anything of the
 * request but its headers was read. `strictDapr`: an unknown token is answered as Dapr does.
 */
export function encodeRefusal(
  error: EngineError,
  request: RefusedRequest,
  strictDapr: boolean,
): Refusal {
  const { contentType } = request;
  if (contentType.startsWith("application/grpc")) {
    const sent = asDaprRefusal(toConnectError(error), error, request.path, strictDapr);
    return grpcRefusal(sent, contentType);
  }
  if (contentType.startsWith("application/connect+")) {
    return connectStreamRefusal(toConnectError(error), contentType);
  }
  const challenge: Record<string, string> =
    error.code === "UNAUTHENTICATED" ? { "www-authenticate": "Bearer" } : {};
  if (rpcOperations.has(request.path)) {
    const sent = toConnectError(error);
    return {
      status: codeToHttpStatus(sent.code),
      headers: { "content-type": "application/json", ...challenge },
      body: errorToJsonBytes(sent, undefined),
    };
  }
  if (strictDapr && error.code === "UNAUTHENTICATED") {
    const type = "text/plain; charset=utf-8";
    return { status: 401, headers: { "content-type": type }, body: "invalid api token\n" };
  }
  return {
    status: errorMap[error.code].http,
    headers: { "content-type": "application/json", ...challenge },
    body: JSON.stringify({ errorCode: `ERR_${error.code}`, message: error.message }),
  };
}

/** An answer without messages: gRPC and gRPC-Web take the status from the headers then. */
function grpcRefusal(error: ConnectError, contentType: string): Refusal {
  const status = setGrpcStatus(new Headers(), error);
  return {
    status: 200,
    headers: { "content-type": contentType, ...Object.fromEntries(status) },
    body: "",
  };
}

/** A stream whose first message is its end. */
function connectStreamRefusal(error: ConnectError, contentType: string): Refusal {
  const end = JSON.stringify(endStreamToJson(new Headers(), error, undefined));
  return {
    status: 200,
    headers: { "content-type": contentType },
    body: encodeEnvelope(endStreamFlag, new TextEncoder().encode(end)),
  };
}
