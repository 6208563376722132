// SPDX-License-Identifier: Apache-2.0

/**
 * A loopback port that nobody listens on. Should another process take it meanwhile, whoever wants it fails
 * to start.
 */
export function findFreePort(): Promise<number>;

/** Two such ports, which differ, as those of any two calls in one process do. */
export function findFreePorts(): Promise<readonly [number, number]>;
