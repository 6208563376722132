// SPDX-License-Identifier: Apache-2.0

/** Longest wait that a caller gets; longer ones are cut to it. */
export const waitLimitSeconds = 300;

const wait = /^wait[ \t]*=[ \t]*"?(\d{1,9})"?[ \t]*(?:;.*)?$/i;

/**
 * The seconds of `Prefer: wait=SECONDS` (RFC 7240, section 4.3), at most `waitLimitSeconds`; 0 when
 * the header does not ask for a wait. What is not understood is ignored, as the RFC wants it.
 */
export function parseWait(prefer: string | readonly string[] | undefined): number {
  for (const preference of [prefer ?? ""].flat().join(",").split(",")) {
    const seconds = wait.exec(preference.trim())?.[1];
    if (seconds !== undefined) {
      return Math.min(Number(seconds), waitLimitSeconds);
    }
  }
  return 0;
}
