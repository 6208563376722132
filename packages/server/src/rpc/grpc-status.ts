// SPDX-License-Identifier: Apache-2.0

import type { ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";

const messageHeader = "grpc-message";

/** What gRPC lets a message travel as: printable ASCII but "%", here without blanks at its ends. */
const encoded = /[^\x20-\x24\x26-\x7e]|^ | $/gu;

/**
 * A message as gRPC sends it (its HTTP/2 protocol, "Status-Message"): percent-encoded where it must be, and
 * not elsewhere. Connect encodes commas, colons and the like, too; grpc-js, and so Dapr's JavaScript SDK,
 * leaves these as they come, and shows `%3A`.
 */
export function encodeGrpcMessage(message: string): string {
  return message.replace(encoded, (text) =>
    Buffer.from(text).toString("hex").toUpperCase().replace(/../g, "%$&"),
  );
}

/** Puts an error into headers or trailers, and gives them back. */
export function setGrpcStatus(target: Headers, error: ConnectError): Headers {
  setTrailerStatus(target, error);
  target.set(messageHeader, encodeGrpcMessage(error.rawMessage));
  return target;
}

/** Puts the message that Connect has put into trailers, if any, as `encodeGrpcMessage` has it. */
export function rewriteGrpcMessage(trailer: Headers): void {
  const message = trailer.get(messageHeader);
  if (message !== null) {
    trailer.set(messageHeader, encodeGrpcMessage(decodeURIComponent(message)));
  }
}
