// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import { terminateOutput } from "../load/caller.ts";
import type { Item } from "../load/definitions.ts";
import type { Entry, Sender } from "../load/ledger.ts";
import { brief, type Violation } from "./violation.ts";

/** How an instance ended. */
export interface End {
  readonly status: string;
  readonly output: unknown;
}

/** Checks that an instance ended, and with what it must come to. */
export function checkEnd(entry: Entry, end: End): Violation[] {
  const { instanceId, expected } = entry;
  const violation = (rule: string, found: string): Violation[] => [{ rule, instanceId, found }];
  switch (end.status) {
    case "terminated":
      if (entry.terminate === "no") return violation("nobody terminated it", "it is terminated");
      return end.output === terminateOutput
        ? []
        : violation("a terminated instance has the output given", brief(end.output));
    case "completed":
      if (expected.kind === "none") {
        return violation("what never ends by itself was terminated", "it is completed");
      }
      if (expected.kind === "items") {
        return checkItems(entry.instanceId, expected.senders, end.output);
      }
      return isDeepStrictEqual(end.output, expected.output)
        ? []
        : violation(
            "the result is right",
            `${brief(end.output)} in place of ${brief(expected.output)}`,
          );
    default:
      return violation("every workflow ends as it should", `it is ${end.status}`);
  }
}

/**
 * Checks events as they were taken against events as they were raised: in order for each sender,
 * each that was acknowledged, and none more often than it was called for.
 */
export function checkItems(
  instanceId: string,
  senders: readonly Sender[],
  output: unknown,
): Violation[] {
  if (!Array.isArray(output) || !output.every(isItem)) {
    return [{ rule: "the result is right", instanceId, found: brief(output) }];
  }
  const known = new Set(senders.map(({ sender }) => sender));
  const foreign = output.filter(({ sender }) => !known.has(sender));
  const strange = foreign.map((item) => {
    return { rule: "no event comes from nowhere", instanceId, found: brief(item) };
  });
  return [
    ...strange,
    ...senders.flatMap((sender) => {
      const taken = output.filter((item) => item.sender === sender.sender).map(({ n }) => n);
      return checkSender(instanceId, sender, taken);
    }),
  ];
}

function checkSender(instanceId: string, sender: Sender, taken: readonly number[]): Violation[] {
  const found: Violation[] = [];
  const name = sender.sender;
  for (const { n, attempts, acknowledged } of sender.sent) {
    const count = taken.filter((other) => other === n).length;
    if (acknowledged && count === 0) {
      const rule = "no acknowledged event is lost";
      found.push({ rule, instanceId, found: `event ${n} of ${name} is missing` });
    }
    if (count > attempts) {
      const rule = "no event is taken more often than it was raised";
      const times = `${count} times after ${attempts} calls`;
      found.push({ rule, instanceId, found: `event ${n} of ${name} came ${times}` });
    }
  }
  const unknown = taken.find((n) => !sender.sent.some((item) => item.n === n));
  if (unknown !== undefined) {
    const rule = "no event comes from nowhere";
    found.push({ rule, instanceId, found: `event ${unknown} of ${name} was never raised` });
  }
  if (taken.some((n, index) => index > 0 && n < (taken[index - 1] ?? 0))) {
    const rule = "events of one sender keep their order";
    found.push({ rule, instanceId, found: `those of ${name} came as ${taken.join(" ")}` });
  }
  return found;
}

function isItem(value: unknown): value is Item {
  if (typeof value !== "object" || value === null) return false;
  return "sender" in value && "n" in value && typeof value.n === "number";
}
