// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import type { InstanceFilter, InstanceStatus, ListQuery } from "@pawl/protocol/port";
import type { InstanceRow } from "@pawl/protocol/store";
import { EngineError } from "../../../errors.js";
import { rowStatus, storedStatusOf } from "../../../store/codec.js";
import { updatedAtOf } from "../../../store/index/index-key.js";

/** True when a filter lets an instance through. @throws INSTANCE_DAMAGED for a status that is none */
export function matches(filter: InstanceFilter, instanceId: string, row: InstanceRow): boolean {
  const { statuses, workflow, parentInstanceId } = filter;
  if (!isPrefixed(instanceId, filter.instanceIdPrefix)) return false;
  if (statuses?.length && !statuses.includes(rowStatus(row))) return false;
  if (workflow && row.workflow !== workflow) return false;
  if (parentInstanceId && row.parent?.instanceId !== parentInstanceId) return false;
  if (!isWithin(Number(row.createdAt), filter.createdFrom, filter.createdBefore)) return false;
  if (!isWithin(updatedAtOf(row), filter.updatedFrom, filter.updatedBefore)) return false;
  const has = ([key]: readonly [string, string]): boolean => Object.hasOwn(row.tags, key);
  return (
    tagsOf(filter).every((tag) => has(tag) && row.tags[tag[0]] === tag[1]) &&
    tagPrefixesOf(filter).every((tag) => has(tag) && isPrefixed(row.tags[tag[0]] ?? "", tag[1]))
  );
}

/** Tags asked for by value, in the order of their keys, so that every page sees the same first one. */
export function tagsOf(filter: InstanceFilter): [string, string][] {
  return Object.entries(filter.tags ?? {}).sort(byKey);
}

/** Tags asked for by the beginning of their values, in the order of their keys. */
export function tagPrefixesOf(filter: InstanceFilter): [string, string][] {
  return Object.entries(filter.tagPrefixes ?? {}).sort(byKey);
}

function byKey([a]: [string, string], [b]: [string, string]): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** True when a text begins with another; with none, always. */
export function isPrefixed(text: string, prefix: string | undefined): boolean {
  return prefix === undefined || text.startsWith(prefix);
}

function isWithin(instant: number, from: number | undefined, before: number | undefined): boolean {
  return (from === undefined || instant >= from) && (before === undefined || instant < before);
}

const sortFields: readonly unknown[] = [undefined, "id", "created", "updated"];

/** @throws INVALID_ARGUMENT for a filter or an order that is none */
export function requireQuery(query: ListQuery): void {
  requireFilter(query);
  if (!sortFields.includes(query.sortBy)) {
    throw invalid("sortBy", "an order is by id, created or updated");
  }
}

/** @throws INVALID_ARGUMENT for a filter that is none */
export function requireFilter(filter: InstanceFilter): void {
  for (const field of ["createdFrom", "createdBefore", "updatedFrom", "updatedBefore"] as const) {
    const instant = filter[field];
    if (instant !== undefined && !Number.isFinite(instant)) {
      throw invalid(field, `${field} is not a time`);
    }
  }
  for (const status of filter.statuses ?? []) requireStatus(status);
  const tags = [...tagsOf(filter), ...tagPrefixesOf(filter)];
  if (tags.length > limits.tags) {
    throw invalid("tags", `${tags.length} tags; at most ${limits.tags} are allowed`);
  }
  for (const [key, value] of tags) {
    if (Buffer.byteLength(key) > limits.tagKeyBytes)
      throw invalid("tags", "a tag's key is too long");
    if (Buffer.byteLength(value) > limits.tagValueBytes) {
      throw invalid("tags", "a tag's value is too long");
    }
  }
}

function requireStatus(status: InstanceStatus): void {
  if (!Number.isInteger(storedStatusOf(status)))
    throw invalid("statuses", `"${status}" is no status`);
}

function invalid(field: string, message: string): EngineError {
  return new EngineError("INVALID_ARGUMENT", message, { details: { field } });
}
