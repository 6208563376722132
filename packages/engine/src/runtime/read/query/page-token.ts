// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import type { ListQuery } from "@pawl/protocol/port";
import { EngineError } from "../../../errors.js";
import { parseCondition } from "./condition-check.js";
import { orderOf } from "./plan.js";

const version = 1;
const hashBytes = 8;
const headBytes = 1 + hashBytes;

/** The token of the page after this position. */
export function tokenOf(query: ListQuery, position: Uint8Array): string {
  return Buffer.concat([Buffer.from([version]), hashOf(query), position]).toString("base64url");
}

/**
 * The position that a query's token names; undefined when it has none.
 * @throws INVALID_ARGUMENT for a token that is none, or one of another filter or order
 */
export function positionOf(query: ListQuery): Buffer | undefined {
  if (query.pageToken === undefined || query.pageToken === "") return undefined;
  const bytes = Buffer.from(query.pageToken, "base64url");
  if (bytes.length <= headBytes || bytes[0] !== version) {
    throw invalid("the page token is not one of this server's");
  }
  if (!bytes.subarray(1, headBytes).equals(hashOf(query))) {
    throw invalid("the page token is one of another filter or order: begin with the first page");
  }
  return bytes.subarray(headBytes);
}

/** What two queries have in common that go through the same instances in the same order. */
function hashOf(query: ListQuery): Buffer {
  const facts = [
    orderOf(query),
    query.descending ?? false,
    [...new Set(query.statuses)].sort(),
    query.workflow ?? "",
    query.instanceIdPrefix ?? "",
    [query.createdFrom, query.createdBefore, query.updatedFrom, query.updatedBefore].map(
      (instant) => instant ?? null,
    ),
    query.parentInstanceId ?? "",
    sorted(query.tags),
    sorted(query.tagPrefixes),
    // In one form, whoever wrote it.
    ...(query.where === undefined ? [] : [parseCondition(query.where)]),
  ];
  return createHash("sha256").update(JSON.stringify(facts)).digest().subarray(0, hashBytes);
}

function sorted(pairs: Readonly<Record<string, string>> = {}): [string, string][] {
  return Object.entries(pairs).sort(([a], [b]) => (a < b ? -1 : 1));
}

function invalid(message: string): EngineError {
  return new EngineError("INVALID_ARGUMENT", message, { details: { field: "pageToken" } });
}
