// SPDX-License-Identifier: Apache-2.0

import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type ContextValues, createContextKey, type HandlerContext } from "@connectrpc/connect";

const key = createContextKey(false, { description: "takes encoded messages" });

/** Where a message of which nothing but the bytes is made keeps them. */
const encoding: unique symbol = Symbol("encoding");

/** Says in a call's values that it sends messages of `encodedMessage`. */
export function takeEncoded(values: ContextValues): ContextValues {
  return values.set(key, true);
}

/** Whether a call sends messages of `encodedMessage`; any other would find them empty. */
export function takesEncoded({ values }: HandlerContext): boolean {
  return values.get(key);
}

/** A message of which only the bytes are made, for calls that send these and look at nothing else. */
export function encodedMessage<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
): MessageShape<Desc> {
  return Object.assign(create(schema), { [encoding]: bytes });
}

/** The bytes of a message, of either kind. */
export function bytesOf<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc> & { readonly [encoding]?: Uint8Array },
): Uint8Array {
  return message[encoding] ?? toBinary(schema, message);
}
