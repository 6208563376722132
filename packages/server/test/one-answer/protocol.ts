// SPDX-License-Identifier: Apache-2.0

import type {
  DescMethod,
  DescMethodStreaming,
  DescMethodUnary,
  JsonObject,
} from "@bufbuild/protobuf";
import { fromJson } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { ErrorDetailSchema } from "@pawl/protocol";
import { createCallTransport } from "../call-transport.js";

/** What a caller learns of a call. */
export interface RpcAnswer {
  /** Pawl's error code; "OK" when there was none. */
  readonly code: string;
  /** The protocol's; undefined without an error. */
  readonly connect: Code | undefined;
  readonly message: string;
}

const answered: RpcAnswer = { code: "OK", connect: undefined, message: "" };

/** A transport of each protocol. */
export function rpcProtocols(baseUrl: string): readonly (readonly [string, Transport])[] {
  const options = { baseUrl, httpVersion: "2" as const };
  return [
    ["Connect JSON", createConnectTransport({ ...options, useBinaryFormat: false })],
    ["Connect binary", createConnectTransport({ ...options, useBinaryFormat: true })],
    ["gRPC", createGrpcTransport({ baseUrl })],
    ["gRPC-Web", createGrpcWebTransport(options)],
    ["stream of calls", createCallTransport({ baseUrl })],
  ];
}

/** Calls a method with a request in JSON's form; of a stream, takes two messages. */
export async function callRpc(
  transport: Transport,
  method: DescMethod,
  request: JsonObject,
): Promise<RpcAnswer> {
  const stop = new AbortController();
  const message = fromJson(method.input, request);
  try {
    if (isUnary(method)) {
      await transport.unary(method, stop.signal, 20_000, undefined, message);
    } else if (isStreaming(method)) {
      const input = (async function* () {
        yield message;
      })();
      const answer = await transport.stream(method, stop.signal, 20_000, undefined, input);
      await takeMessages(answer.message, 2);
    }
    return answered;
  } catch (thrown) {
    const error = ConnectError.from(thrown, Code.Unknown);
    const code = error.findDetails(ErrorDetailSchema)[0]?.code ?? "none";
    return { code, connect: error.code, message: error.rawMessage };
  } finally {
    stop.abort();
  }
}

async function takeMessages(source: AsyncIterable<unknown>, count: number): Promise<void> {
  let left = count;
  for await (const _ of source) {
    left -= 1;
    if (left === 0) {
      break;
    }
  }
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

function isStreaming(method: DescMethod): method is DescMethodStreaming {
  return method.methodKind !== "unary";
}
