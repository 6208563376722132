// SPDX-License-Identifier: Apache-2.0

import type { Program } from "./program.ts";

/** The name of a workflow whose instances are not kept for long after their end. */
export const briefName = "brief";

const lastingNames: readonly string[] = ["program", "side"];

/** Names of all workflows: they do the same, and not every worker has each. */
export const workflowNames: readonly string[] = [...lastingNames, briefName];

/** Names of all activities, likewise. */
export const activityNames: readonly string[] = ["act", "bee"];

/** True for the id of an instance of that workflow, which nobody else uses. */
export function isBriefId(instanceId: string): boolean {
  return instanceId.startsWith(`${briefName}-`) && !instanceId.includes(":");
}

/** The name of an activity that no worker has. */
export const ghostName = "ghost";

/** The workflow that carries a program out where no other is named. */
export function workflowNameOf(program: Program): string {
  return lastingNames[program.length % 2] ?? "";
}

/** The activity that carries a call out, by the call's token. */
export function activityNameOf(token: string): string {
  return activityNames[token.charCodeAt(token.indexOf("#") - 1) % 2] ?? "";
}

/** What the ids of instances begin with that have the beginning of another one's history. */
export const rerunPrefix = "again";

/** True for such an id. */
export function isRerunId(instanceId: string): boolean {
  return instanceId.startsWith(`${rerunPrefix}-`) && !instanceId.includes(":");
}
