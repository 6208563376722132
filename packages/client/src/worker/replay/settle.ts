// SPDX-License-Identifier: Apache-2.0

/** The tick that was asked for and has not come: one for all that wait. */
let nextTick: Promise<void> | undefined;

/**
 * Resolves when the microtask queue has run dry: whatever code could go on without input from
 * outside has done so, however long its chain of awaits. To be called from within a microtask.
 *
 * Node runs the tick queue only after it has emptied the microtask queue, newcomers included. The
 * tick must therefore be asked for from within a microtask: asked for from another tick, it would
 * come before the microtasks. This costs well under a microsecond; `setImmediate` would wait for
 * the event loop's other phases.
 */
export function settled(): Promise<void> {
  nextTick ??= new Promise((resolve) => {
    process.nextTick(() => {
      nextTick = undefined;
      resolve();
    });
  });
  return nextTick;
}

/** Lets the event loop serve sockets and timers, which `settled` alone does not. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
