// SPDX-License-Identifier: Apache-2.0

// For conformance tests: the parts that carry RPCs, without the services of a Pawl server.
export { Listener } from "../listen.js";
export { sendHeaders } from "../rpc/early-headers.js";
export { RpcHandler } from "../rpc/handler.js";
