// SPDX-License-Identifier: Apache-2.0

// What the conformance runner starts for each server: `relay.mjs PORT` passes on what it says on stdin to
// the host of the servers, and what that answers. It imports nothing else, so that it starts at once.

import { connect } from "node:net";

const socket = connect({ host: "127.0.0.1", port: Number(process.argv[2]) });
process.stdin.pipe(socket, { end: false });
socket.pipe(process.stdout);
