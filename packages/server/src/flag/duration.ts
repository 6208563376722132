// SPDX-License-Identifier: Apache-2.0

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * A length of time in milliseconds, rounded up: numbers with units (w, d, h, m, s, ms, us, ns), largest
 * first or not, as in "7d" and "1h30m"; "0" needs no unit. Undefined when the text is none.
 */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(ms|us|µs|ns|s|m|h|d|w))+$/.test(text)) return undefined;
  let lengthMs = 0;
  for (const [, count = "", , unit = ""] of text.matchAll(
    /(\d+(\.\d+)?)(ms|us|µs|ns|s|m|h|d|w)/g,
  )) {
    lengthMs += Number(count) * (unitMs[unit] ?? 0);
  }
  return Number.isSafeInteger(Math.ceil(lengthMs)) ? Math.ceil(lengthMs) : undefined;
}
