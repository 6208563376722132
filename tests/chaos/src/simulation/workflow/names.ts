// SPDX-License-Identifier: Apache-2.0

import type { Program } from "./program.ts";

/** Names of all workflows: they do the same, and not every worker has each. */
export const workflowNames: readonly string[] = ["program", "side"];

/** Names of all activities, likewise. */
export const activityNames: readonly string[] = ["act", "bee"];

/** The name of an activity that no worker has. */
export const ghostName = "ghost";

/** The workflow that carries a program out. */
export function workflowNameOf(program: Program): string {
  return workflowNames[program.length % 2] ?? "";
}

/** The activity that carries a call out, by the call's token. */
export function activityNameOf(token: string): string {
  return activityNames[token.charCodeAt(token.indexOf("#") - 1) % 2] ?? "";
}
