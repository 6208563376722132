// SPDX-License-Identifier: Apache-2.0

/** Event names match without regard to case, in every locale alike (engine semantics 7.3.1). */
export function foldEventName(name: string): string {
  return name.toUpperCase();
}
