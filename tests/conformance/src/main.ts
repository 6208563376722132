// SPDX-License-Identifier: Apache-2.0

// One server for the conformance runner: takes a ServerCompatRequest on stdin, answers on stdout
// where the server is, and serves until SIGTERM.

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { readDelimited, toDelimited } from "./delimited.ts";
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "./gen/connectrpc/conformance/v1/server_compat_pb.js";
import { startServer } from "./server.ts";

const request = fromBinary(ServerCompatRequestSchema, await readDelimited(process.stdin));
const address = await startServer(request);
const pemCert = request.serverCreds?.cert ?? new Uint8Array();
const response = create(ServerCompatResponseSchema, { ...address, pemCert });
process.stdout.write(toDelimited(toBinary(ServerCompatResponseSchema, response)));
