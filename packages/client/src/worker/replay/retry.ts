// SPDX-License-Identifier: Apache-2.0

import { PawlError } from "../../errors.js";
import type { Failure } from "../../port.js";

/**
 * What to do when an activity or a child workflow fails. The waits between attempts are durable
 * timers; they have no jitter, so that replay finds the same ones.
 */
export interface RetryPolicy {
  /** Attempts in all, the first included. Integer, at least 1. */
  readonly maxAttempts: number;
  /** Milliseconds before the second attempt. At least 0. */
  readonly firstIntervalMs: number;
  /** Each wait is this many times the one before. At least 1. @default 1 */
  readonly backoffCoefficient?: number;
  /** The longest wait, in milliseconds. @default 3600000 */
  readonly maxIntervalMs?: number;
  /** No attempt begins later than this many milliseconds after the first. @default no limit */
  readonly timeoutMs?: number;
  /** Names of errors (`failure.type`) that are not tried again. @default none */
  readonly nonRetriableTypes?: readonly string[];
}

/** A policy with a value for each field. */
export type ResolvedRetryPolicy = Required<RetryPolicy>;

const defaults = Object.freeze({
  backoffCoefficient: 1,
  maxIntervalMs: 3_600_000,
  timeoutMs: Number.POSITIVE_INFINITY,
  nonRetriableTypes: Object.freeze([]),
});

/**
 * Fills in the defaults.
 * @throws INVALID_ARGUMENT when a field is out of its range
 */
export function resolveRetryPolicy(policy: RetryPolicy): ResolvedRetryPolicy {
  const resolved = { ...defaults, ...policy };
  check(Number.isInteger(policy.maxAttempts) && policy.maxAttempts >= 1, "maxAttempts");
  check(Number.isFinite(policy.firstIntervalMs) && policy.firstIntervalMs >= 0, "firstIntervalMs");
  check(resolved.backoffCoefficient >= 1, "backoffCoefficient");
  check(resolved.maxIntervalMs >= 0, "maxIntervalMs");
  check(resolved.timeoutMs >= 0, "timeoutMs");
  return resolved;
}

/** How far one call has come. Instants are in milliseconds since 1970. */
export interface RetryProgress {
  /** Attempts that have failed, at least 1. */
  readonly failedAttempts: number;
  readonly firstAttemptAt: number;
  readonly now: number;
}

/** Milliseconds to wait before the next attempt; `undefined`: there is none. */
export function nextRetryMs(
  policy: ResolvedRetryPolicy,
  progress: RetryProgress,
  failure: Failure,
): number | undefined {
  if (failure.nonRetriable || policy.nonRetriableTypes.includes(failure.type)) return undefined;
  if (progress.failedAttempts >= policy.maxAttempts) return undefined;
  const growth = policy.backoffCoefficient ** (progress.failedAttempts - 1);
  const waitMs = Math.floor(Math.min(policy.firstIntervalMs * growth, policy.maxIntervalMs));
  const isLate = progress.now + waitMs > progress.firstAttemptAt + policy.timeoutMs;
  return isLate ? undefined : waitMs;
}

function check(holds: boolean, field: string): void {
  if (holds) return;
  throw new PawlError("INVALID_ARGUMENT", `retry policy: ${field} is out of range`, {
    details: { field },
  });
}
