// SPDX-License-Identifier: Apache-2.0

import { StoredStatus } from "@pawl/protocol/store";
import { isStatus, storedStatusOf } from "../../../store/codec.js";
import {
  isOpenClass,
  statusClass,
  textBytes,
  workflowSuffix,
} from "../../../store/index/index-key.js";
import type { IndexKind } from "../../../store/key.js";
import type { Bounds, Choice } from "./bounds.js";

/** A stretch of an index in each partition. */
export interface Stretch {
  readonly kind: IndexKind;
  readonly prefix: Buffer;
  /** All that is in it has this status class. */
  readonly status?: number;
  /** Of its entries, those of these workflows, as keys have them. */
  readonly workflows?: readonly Buffer[];
}

/** Stretches that together have all that one condition asks for, in the order of creation. */
export type Leg = readonly Stretch[];

/** Values of a condition that are looked up one by one, at most: each is a stretch of keys. */
const fewValues = 64;

/**
 * What lists in the order of creation are read from: what all legs have in common. The ones that have
 * least come first, as far as that can be told without looking.
 */
export function legsOf({ parents, tags, statuses, workflows }: Bounds): readonly [Leg, ...Leg[]] {
  const legs: Leg[] = [];
  if (isFew(parents)) {
    legs.push([...parents].map((parent) => ({ kind: "parent", prefix: textBytes(parent) })));
  }
  for (const [tag, values] of tags) {
    if (!isFew(values)) continue;
    const prefixes = [...values].map((value) => Buffer.concat([textBytes(tag), textBytes(value)]));
    legs.push(prefixes.map((prefix) => ({ kind: "tag", prefix })));
  }
  const classes = classesOf(statuses);
  const names = isFew(workflows) ? [...workflows] : undefined;
  if (legs.length === 0 || names !== undefined || classes.length < everyClass.length) {
    legs.push(names === undefined ? classes.map(byStatus) : byWorkflow(names, classes));
  }
  const [first = [], ...others] = legs;
  return [first, ...others];
}

/** True when the indexes by creation know more of what is looked for than when it was created. */
export function isNarrow({ parents, tags, statuses, workflows }: Bounds): boolean {
  return (
    isFew(parents) ||
    [...tags.values()].some(isFew) ||
    isFew(workflows) ||
    classesOf(statuses).length < everyClass.length
  );
}

function byStatus(status: number): Stretch {
  return { kind: "status", prefix: Buffer.from([status]), status };
}

/** Those that have ended have an index of their own; of the open ones, all are gone through. */
function byWorkflow(names: readonly string[], classes: readonly number[]): Leg {
  const workflows = names.map(workflowSuffix);
  return classes.flatMap((status): Stretch[] => {
    if (isOpenClass(status)) return [{ ...byStatus(status), workflows }];
    return names.map((name) => {
      const prefix = Buffer.concat([textBytes(name), Buffer.from([status])]);
      return { kind: "workflow", prefix, status };
    });
  });
}

const everyClass: readonly number[] = [
  ...new Set(
    [
      StoredStatus.PENDING,
      StoredStatus.RUNNING,
      StoredStatus.SUSPENDED,
      StoredStatus.STALLED,
      StoredStatus.COMPLETED,
      StoredStatus.FAILED,
      StoredStatus.TERMINATED,
    ].map(statusClass),
  ),
];

function classesOf(statuses: Choice): readonly number[] {
  if (statuses === undefined) return everyClass;
  return [
    ...new Set([...statuses].filter(isStatus).map((one) => statusClass(storedStatusOf(one)))),
  ];
}

function isFew(choice: Choice): choice is ReadonlySet<string> {
  return choice !== undefined && choice.size <= fewValues;
}
