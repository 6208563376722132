// SPDX-License-Identifier: Apache-2.0

/**
 * Whether a name fits a pattern, in which each `*` stands for any characters, or none; everything else
 * stands for itself. Takes time in proportion to the lengths, whatever the pattern.
 */
export function fitsPattern(name: string, pattern: string): boolean {
  const [first = "", ...others] = pattern.split("*");
  const last = others.pop();
  if (last === undefined) {
    return name === pattern;
  }
  if (!name.startsWith(first)) {
    return false;
  }
  let at = first.length;
  for (const part of others) {
    const found = name.indexOf(part, at);
    if (found < 0) {
      return false;
    }
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
