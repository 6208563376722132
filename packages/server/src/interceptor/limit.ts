// SPDX-License-Identifier: Apache-2.0

import type { ConnectRouterOptions } from "@connectrpc/connect";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { limits } from "@pawl/protocol";

/**
 * What every service takes and sends. Compressed requests are understood, within the same limit;
 * answers are not compressed: a worker is near, and compressing would cost more than a turn.
 */
export const rpcLimits = {
  readMaxBytes: limits.requestBytes,
  acceptCompression: [compressionGzip, compressionBrotli],
  compressMinBytes: 0xffff_ffff,
} satisfies ConnectRouterOptions;

/**
 * What one message of a worker, or of a stream of calls, may hold. It has several results or calls, each
 * of which may be as large as a request of its own; and an answer that is over the limit of a payload has to
 * be taken to fail its task: refused, its item would be with its worker for good.
 */
export const streamLimits = { readMaxBytes: 4 * limits.requestBytes };
