// SPDX-License-Identifier: Apache-2.0

/** A UUID's digits, which are as many as a trace id has. */
const traceIdForm = /^[0-9a-f]{32}$/;

/** A trace id, from an id that nobody else has. */
export function traceIdOf(id: string): string {
  const digits = id.replaceAll("-", "");
  return traceIdForm.test(digits)
    ? digits
    : Buffer.from(id).toString("hex").padStart(32, "0").slice(-32);
}

/** A span id, from an id that nobody else has. */
export function spanIdOf(id: string): string {
  return traceIdOf(id).slice(-16);
}
