// SPDX-License-Identifier: Apache-2.0

import { type DescMessage, type DescService, type MessageShape, toJson } from "@bufbuild/protobuf";
import { type CallOptions, type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { EngineError } from "@pawl/engine";
import { componentHeader } from "../component/name.js";
import { type IdentityFlags, readIdentity } from "./identity.js";
import { reasonOf } from "./reason.js";
import { failWith, oneLine } from "./report.js";

/** Where a running server is, and how to be let in. */
export interface RemoteFlags extends IdentityFlags {
  /** The server's URL. */
  readonly address: string;
  /** Its token; empty: none. */
  readonly token: string;
  /** The component that is meant. @default the built-in one; for a backup, all */
  readonly component?: string;
}

/** A client of a running server, and what each of its calls has to be given. @throws INVALID_ARGUMENT */
export function connectTo<Service extends DescService>(
  service: Service,
  { address, token, component = "", ...files }: RemoteFlags,
): { readonly client: Client<Service>; readonly call: CallOptions } {
  if (!/^https?:/i.test(address) || !URL.canParse(address)) {
    throw new EngineError("INVALID_ARGUMENT", "it is no URL like http://127.0.0.1:3500");
  }
  const transport = createGrpcTransport({
    baseUrl: address,
    nodeOptions: readIdentity(address, files),
  });
  const headers = {
    ...(token === "" ? {} : { "dapr-api-token": token }),
    ...(component === "" ? {} : { [componentHeader]: component }),
  };
  return { client: createClient(service, transport), call: { headers } };
}

/** Prints what a call answers; a refusal is one line on stderr, and exit code 1. */
export async function printAnswer(address: string, ask: () => Promise<string>): Promise<void> {
  try {
    process.stdout.write(await ask());
  } catch (error) {
    failWith(`${address}: ${reasonOf(error)}`);
  }
}

/** An answer for programs, which does nothing to a terminal either. */
export function jsonText<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): string {
  const lines = JSON.stringify(toJson(schema, message), null, 2).split("\n");
  return `${lines.map(oneLine).join("\n")}\n`;
}
