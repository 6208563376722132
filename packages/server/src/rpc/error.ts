// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError } from "@connectrpc/connect";
import {
  createAsyncIterable,
  encodeEnvelope,
  type UniversalHandler,
  type UniversalServerResponse,
  uResponseMethodNotAllowed,
} from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  errorFromJsonBytes,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import { findTrailerError, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerFlag, trailerParse, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { toConnectError } from "../interceptor/error.js";
import { rewriteGrpcMessage } from "./grpc-status.js";

/**
 * Gives the errors that the RPC library finds before any interceptor runs (a malformed or too large
 * message of a unary call) the codes of all others, and the detail where `isDetailed`; and words to
 * those that it answers with a status alone. Answers without such an error pass untouched.
 */
export async function clarifyErrors(
  response: UniversalServerResponse,
  handler: UniversalHandler,
  isDetailed: boolean,
): Promise<UniversalServerResponse> {
  if (response.body === undefined && response.status >= 400) {
    return sayRefusal(response, handler);
  }
  if (response.trailer !== undefined) {
    clarifyTrailer(response.trailer, isDetailed);
    return { ...response, body: thenReword(response.body, response.trailer) };
  }
  const type = response.header?.get("content-type") ?? "";
  if (response.body === undefined || !(Symbol.asyncIterator in response.body)) {
    return response;
  }
  if (type.startsWith("application/grpc-web")) {
    return {
      ...response,
      body: mapChunks(response.body, (chunk) => clarifyFrame(chunk, isDetailed)),
    };
  }
  if (response.status >= 400 && type === "application/json") {
    return clarifyJson(response, response.body, isDetailed);
  }
  return response;
}

/**
 * What is no call is refused before its protocol is known, by a status alone. That stays, and plain text says why:
 * clients make their error of the status (an error in Connect's form would have a code of its own).
 */
function sayRefusal(
  response: UniversalServerResponse,
  { allowedMethods, method, requestPath }: UniversalHandler,
): UniversalServerResponse {
  const types =
    method.methodKind === "unary"
      ? "application/json or application/proto"
      : "application/connect+json or application/connect+proto, with five bytes before each message";
  const reasons: Readonly<Record<number, string>> = {
    405: `${requestPath} is called with ${allowedMethods.join(" or ")}`,
    415: `${requestPath} takes the content-type ${types}, or one of gRPC or gRPC-Web`,
    505: `${requestPath} streams both ways, which needs HTTP/2`,
  };
  const reason = reasons[response.status] ?? `${requestPath} cannot be called so`;
  const header = new Headers(response.header);
  header.set("content-type", "text/plain; charset=utf-8");
  if (response.status === uResponseMethodNotAllowed.status) {
    header.set("allow", allowedMethods.join(", "));
  }
  return { ...response, header, body: createAsyncIterable([Buffer.from(`${reason}\n`)]) };
}

/** gRPC: an error before the first message is in the trailers by now. */
function clarifyTrailer(trailer: Headers, isDetailed: boolean): boolean {
  if (trailer.get("grpc-status") === "0" || trailer.has("grpc-status-details-bin")) {
    return false;
  }
  const error = findTrailerError(trailer);
  if (error === undefined) {
    return false;
  }
  setTrailerStatus(trailer, toConnectError(error, { isDetailed }));
  return true;
}

/** gRPC: the status is in the trailers once the body has ended. */
async function* thenReword(
  body: UniversalServerResponse["body"],
  trailer: Headers,
): AsyncIterable<Uint8Array> {
  if (body !== undefined && Symbol.asyncIterator in body) {
    yield* body;
  }
  rewriteGrpcMessage(trailer);
}

/** gRPC-Web: the trailers are the last frame of the body. */
function clarifyFrame(chunk: Uint8Array, isDetailed: boolean): Uint8Array {
  const headerBytes = 5;
  if (chunk[0] !== trailerFlag || chunk.length < headerBytes) {
    return chunk;
  }
  const trailer = trailerParse(chunk.subarray(headerBytes));
  return clarifyTrailer(trailer, isDetailed)
    ? encodeEnvelope(trailerFlag, trailerSerialize(trailer))
    : chunk;
}

/** Connect: the error is the body, and the status follows from it. */
async function clarifyJson(
  response: UniversalServerResponse,
  body: AsyncIterable<Uint8Array>,
  isDetailed: boolean,
): Promise<UniversalServerResponse> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    chunks.push(chunk);
  }
  const fallback = new ConnectError("", Code.Internal);
  const found = errorFromJsonBytes(Buffer.concat(chunks), undefined, fallback);
  const error = toConnectError(found, { isDetailed });
  const bytes = errorToJsonBytes(error, undefined);
  const header = new Headers(response.header);
  header.set("content-length", String(bytes.byteLength));
  return {
    ...response,
    status: codeToHttpStatus(error.code),
    header,
    body: createAsyncIterable([bytes]),
  };
}

async function* mapChunks(
  source: AsyncIterable<Uint8Array>,
  map: (chunk: Uint8Array) => Uint8Array,
): AsyncIterable<Uint8Array> {
  for await (const chunk of source) {
    yield map(chunk);
  }
}
