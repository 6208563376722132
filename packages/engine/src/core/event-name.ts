// SPDX-License-Identifier: Apache-2.0

/**
 * The name that an event and the waits for it share: names match without regard to case, in every
 * locale alike (engine semantics 7.3.1). Workers fold by different rules (upper case, lower case), which
 * differ for a few letters, as "ß" and "ı". Names are one here only where every rule says so: a timer
 * that is left although its wait is over is ignored by the worker; one that is cleared although the wait
 * goes on would be missed for ever.
 */
export function foldEventName(name: string): string {
  return `${name.toUpperCase()}\n${name.toLowerCase()}`;
}
