// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError } from "@connectrpc/connect";

// Why calls are given up. Made once: an error that is made for each call, or the one that Node makes
// for an abort without a reason, costs several microseconds for a stack that nobody reads.

/** The call's deadline has passed. */
export const timedOut = new ConnectError("the operation timed out", Code.DeadlineExceeded);

/** The caller cancelled the call, or its connection is gone. */
export const hungUp = new ConnectError("the caller hung up", Code.Canceled);

/** The call has its answer; what still listens to its signal may stop. */
export const answered = new ConnectError("the call has ended", Code.Canceled);

/** The server stops. */
export const shuttingDown = new ConnectError("shutting down", Code.Unavailable);
