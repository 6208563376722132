// SPDX-License-Identifier: Apache-2.0

import { createRegistry } from "@bufbuild/protobuf";
import { Listener, RpcHandler } from "@pawl/server/testing";
import type { ServerCompatRequest } from "./gen/connectrpc/conformance/v1/server_compat_pb.js";
import {
  ConformanceService,
  file_connectrpc_conformance_v1_service,
} from "./gen/connectrpc/conformance/v1/service_pb.js";
import { conformanceService } from "./service.ts";

const host = "127.0.0.1";
const unlimited = 0xffff_ffff;
/** The tests provoke every kind of failure; the runner says which was wrong. */
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A running server. */
export interface ConformanceServer {
  readonly address: { readonly host: string; readonly port: number };
  close(): Promise<void>;
}

/**
 * Serves the conformance service with the parts that serve Pawl's own. Errors carry no detail of ours,
 * since the runner counts details.
 */
export async function startServer(request: ServerCompatRequest): Promise<ConformanceServer> {
  const rpc = new RpcHandler(
    (router) => void router.service(ConformanceService, conformanceService),
    (_request, response) => {
      response.statusCode = 404;
      response.end();
    },
    silent,
    {
      readMaxBytes: request.messageReceiveLimit || unlimited,
      registry: createRegistry(file_connectrpc_conformance_v1_service),
      hasDetail: () => false,
    },
  );
  const listener = listenerFor(rpc, request);
  const port = await listener.listen(host, 0);
  return { address: { host, port }, close: () => listener.close(0) };
}

function listenerFor(rpc: RpcHandler, request: ServerCompatRequest): Listener {
  const { serverCreds, clientTlsCert } = request;
  const listener = new Listener(rpc.handle, {}, rpc.streams);
  if (serverCreds !== undefined) {
    listener.useTls({
      cert: toText(serverCreds.cert),
      key: toText(serverCreds.key),
      ...(clientTlsCert.length > 0 ? { ca: toText(clientTlsCert) } : {}),
    });
  }
  return listener;
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
