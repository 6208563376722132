// SPDX-License-Identifier: Apache-2.0

/** A promise that was broken. */
export interface Violation {
  /** Which promise, in a few words. */
  readonly rule: string;
  readonly instanceId?: string;
  /** What was found. */
  readonly found: string;
}

/** A violation as a line. */
export function describeViolation({ rule, instanceId, found }: Violation): string {
  return instanceId === undefined ? `${rule}: ${found}` : `${rule}: "${instanceId}": ${found}`;
}

/** Short JSON for a report. */
export function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= 200 ? text : `${text.slice(0, 197)}...`;
}
