// SPDX-License-Identifier: Apache-2.0

/** The built-in component: it is always there, and is meant where a call names none. */
export const builtInName = "dapr";

/** The header, or gRPC metadata, that says which component is meant. */
export const componentHeader = "pawl-component";

const longest = 63;
/** It is a folder's name, a path segment and a header's value. */
const pattern = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
/** Names that some file systems have for devices, with any ending. */
const devices = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** What is wrong with the name of a component; undefined: nothing. */
export function nameProblem(name: string): string | undefined {
  if (name.length > longest) return `must have at most ${longest} characters`;
  if (!pattern.test(name)) {
    return 'must be letters, digits, ".", "_" and "-", with a letter or digit first and last';
  }
  return devices.test(name) ? "is a name that some file systems keep for devices" : undefined;
}
