// SPDX-License-Identifier: Apache-2.0

import { setAlarm } from "@pawl/protocol";
import { isPawlError, PawlError } from "../errors.js";

/**
 * Runs a call with a signal that is aborted when the time is up or the caller's own signal is.
 * @throws DEADLINE_EXCEEDED when the time was up first
 */
export function withDeadline<T>(
  timeoutMs: number | undefined,
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  return timeoutMs === undefined ? call(signal) : withTimer(timeoutMs, signal, call);
}

async function withTimer<T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const cancel = setAlarm(timeoutMs, () => deadline.abort());
  const limited =
    signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]);
  try {
    return await call(limited);
  } catch (error) {
    if (!deadline.signal.aborted || !isPawlError(error) || error.code !== "CANCELLED") throw error;
    throw new PawlError("DEADLINE_EXCEEDED", `no answer within ${timeoutMs} ms`, { cause: error });
  } finally {
    cancel();
  }
}
