// SPDX-License-Identifier: Apache-2.0

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ConnectError } from "@connectrpc/connect";
import type { EngineError } from "@pawl/engine";
import { Dapr, TaskHubSidecarService } from "@pawl/protocol";

/** The services that Dapr's SDKs call, by the first part of a path. */
const daprPaths = [Dapr, TaskHubSidecarService].map(({ typeName }) => `/${typeName}/`);

/** Dapr cuts values of an ErrorInfo. */
const valueLength = 63;

/**
 * The answer over gRPC to a caller of Dapr's services without a token that is known: with the
 * google.rpc.ErrorInfo that Dapr has for it. `strict`: with Dapr's message, and nothing of ours. Any other
 * error is given back as it is.
 */
export function asDaprRefusal(
  sent: ConnectError,
  { code, details: { token } }: EngineError,
  path: string,
  strict: boolean,
): ConnectError {
  if (code !== "UNAUTHENTICATED" || !daprPaths.some((start) => path.startsWith(start))) {
    return sent;
  }
  const text =
    token === "missing"
      ? "missing api token in request metadata"
      : "authentication error: api token mismatch";
  const info = { type: "google.rpc.ErrorInfo", value: errorInfo(text) };
  if (!strict) {
    sent.details.push(info);
    return sent;
  }
  const refusal = new ConnectError("Unauthorized", sent.code);
  refusal.details.push(info);
  return refusal;
}

/** A google.rpc.ErrorInfo: reason 1, domain 2, metadata 3. */
function errorInfo(text: string): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).string("Unauthorized");
  writer.tag(2, WireType.LengthDelimited).string("dapr.io");
  const metadata = { "http.code": "401", "http.error_message": text.slice(0, valueLength) };
  for (const [key, value] of Object.entries(metadata)) {
    writer.tag(3, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(key);
    writer.tag(2, WireType.LengthDelimited).string(value).join();
  }
  return writer.finish();
}
