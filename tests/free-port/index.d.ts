// SPDX-License-Identifier: Apache-2.0

/**
 * A loopback port that nobody listens on. Should another process take it meanwhile, whoever wants it fails
 * to start.
 */
export function findFreePort(): Promise<number>;

/** Two such ports. They differ, as those of two calls of `findFreePort` need not. */
export function findFreePorts(): Promise<readonly [number, number]>;
