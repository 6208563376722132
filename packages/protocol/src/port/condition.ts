// SPDX-License-Identifier: Apache-2.0

import type { InstanceStatus } from "./management.js";

/**
 * A condition on instances: a comparison of one field, or several conditions of which all, or any,
 * must hold. At most 16 levels, 256 conditions, and 1,024 values in all.
 */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | Comparison;

/**
 * A comparison of one field with a value. A field that an instance does not have is equal to nothing:
 * only "neq" holds for it.
 */
export type Comparison =
  | ({ readonly field: TextField } & (Ordered<string> | Prefix))
  | ({ readonly field: "tag"; readonly tag: string } & (Ordered<string> | Prefix))
  | ({ readonly field: "status" } & Equal<InstanceStatus>)
  | ({ readonly field: TimeField } & Ordered<number>);

/** Fields with texts, which are compared byte by byte, in UTF-8. */
export type TextField = "instanceId" | "workflow" | "parentInstanceId" | "version";

/** Fields with instants, in milliseconds since 1970 (UTC). */
export type TimeField = "createdAt" | "updatedAt" | "startedAt" | "completedAt" | "startAt";

/** Equal to a value, to none of it, or to one of several. */
export type Equal<T> =
  | { readonly op: "eq" | "neq"; readonly value: T }
  | { readonly op: "in"; readonly value: readonly T[] };

/** Also before or after a value. */
export type Ordered<T> = Equal<T> | { readonly op: "gt" | "gte" | "lt" | "lte"; readonly value: T };

/** Begins with a text. */
export interface Prefix {
  readonly op: "prefix";
  readonly value: string;
}
