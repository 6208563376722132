// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, AnySchema, anyPack } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import type { CallErrorSchema } from "@pawl/protocol";

/** An error as an answer has it: what gRPC has in its trailers. */
export function toCallError(error: ConnectError): MessageInitShape<typeof CallErrorSchema> {
  return { code: error.code, message: error.rawMessage, details: error.details.map(toAny) };
}

function toAny(detail: ConnectError["details"][number]): Any {
  if ("desc" in detail) {
    return anyPack(detail.desc, create(detail.desc, detail.value));
  }
  const { type, value } = detail;
  return create(AnySchema, { typeUrl: `type.googleapis.com/${type}`, value });
}
