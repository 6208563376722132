// SPDX-License-Identifier: Apache-2.0

import { type ActivityInput, activityOutput } from "./program.ts";

/** What an activity is asked that is run again with another input. */
export function otherInput(text: string): string {
  const input: ActivityInput = JSON.parse(text);
  const token = input.token.replace(/#\d+/, otherCall);
  return JSON.stringify({ ...input, token, fails: false });
}

/** Where an activity's token has its number, one that was run again with another input has this. */
const otherCall = "#other";

/** True for the input of such an activity. */
export function isOtherInput(text: string): boolean {
  return text.includes(`${otherCall}~`);
}

/** What a program comes to of which an activity was run again with another input. */
export function otherOutput(output: string, text: string): string {
  const { token }: ActivityInput = JSON.parse(text);
  const [key = ""] = token.slice(1).split("#");
  return output.replace(new RegExp(`!${key}#\\d+!`), activityOutput(token));
}
