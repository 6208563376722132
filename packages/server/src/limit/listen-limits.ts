// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";

/** Bounds of what a peer may do to the listener, by connection and by request. */
export interface ListenLimits {
  /** Milliseconds in which a connection must show its protocol, or end its TLS handshake. @default 5000 */
  readonly peekTimeoutMs: number;
  /** Milliseconds in which the headers of an HTTP/1.1 request must arrive. @default 20000 */
  readonly headersTimeoutMs: number;
  /**
   * Milliseconds in which a request must arrive whole. Streams of requests, such as a worker's, may go
   * on for ever. @default 300000
   */
  readonly requestTimeoutMs: number;
  /** Milliseconds that an answer may wait for its reader, beside the time for its bytes. @default 60000 */
  readonly stallTimeoutMs: number;
  /** Bytes of an answer that its reader must take each second. @default 16384 */
  readonly readerBytesPerSecond: number;
  /**
   * Milliseconds that an idle HTTP/1.1 connection stays open. Longer than the minute after which
   * common clients and proxies let go themselves, so that none sends a request into its closing.
   * @default 75000
   */
  readonly keepAliveTimeoutMs: number;
  /**
   * Milliseconds that an HTTP/2 connection without a call stays open. Clients open a new one when they
   * need it. @default 600000
   */
  readonly idleTimeoutMs: number;
  /** Bytes of the headers of one request and its path. @default 16384, or 4096 with `strictDapr` */
  readonly headerBytes: number;
  /** Headers of one request. @default 128 */
  readonly headerCount: number;
  /**
   * Bytes of the body of a request, and of a call's message; not of what workers send. No more than the
   * contract with workers allows. @default 4194304
   */
  readonly bodyBytes: number;
  /** Streams of one HTTP/2 connection. @default 10000 */
  readonly streamsPerConnection: number;
  /** Streams that a peer may take back at once, above which its connection is closed. @default 1000 */
  readonly resetBurst: number;
  /** Streams a second that a peer may take back for long. @default 33 */
  readonly resetsPerSecond: number;
  /** Connections of one port. @default 10000 */
  readonly connections: number;
  /**
   * Connections of one address, on all ports; of IPv6, of one network of 64 bits. As many as there may
   * be at all unless told otherwise: behind a proxy all callers have its address. @default 10000
   */
  readonly connectionsPerAddress: number;
  /** Milliseconds between the pings on an HTTP/2 connection. @default 30000 */
  readonly pingIntervalMs: number;
}

/** The defaults of `ListenLimits`. */
export const listenDefaults: ListenLimits = Object.freeze({
  peekTimeoutMs: 5_000,
  headersTimeoutMs: 20_000,
  requestTimeoutMs: 300_000,
  stallTimeoutMs: 60_000,
  readerBytesPerSecond: 16_384,
  keepAliveTimeoutMs: 75_000,
  idleTimeoutMs: 600_000,
  headerBytes: 16_384,
  headerCount: 128,
  bodyBytes: limits.requestBytes,
  streamsPerConnection: 10_000,
  resetBurst: 1_000,
  resetsPerSecond: 33,
  connections: 10_000,
  connectionsPerAddress: 10_000,
  pingIntervalMs: 30_000,
});
