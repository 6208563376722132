// SPDX-License-Identifier: Apache-2.0

import type { Condition } from "./condition.js";
import type { Instance, InstanceStatus, ReadOptions } from "./management.js";

/**
 * Which instances are meant: those for which everything that is given holds. Instants are
 * milliseconds since 1970 (UTC); `From` is inclusive, `Before` exclusive.
 */
export interface InstanceFilter {
  /** One of these; empty or absent: any. */
  readonly statuses?: readonly InstanceStatus[];
  readonly workflow?: string;
  /** Compared byte by byte, in UTF-8. */
  readonly instanceIdPrefix?: string;
  readonly createdFrom?: number;
  readonly createdBefore?: number;
  readonly updatedFrom?: number;
  readonly updatedBefore?: number;
  /** The instance that started it as a child. */
  readonly parentInstanceId?: string;
  /** Tags that it has, with exactly these values. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Tags that it has, with values that begin with these. "" asks for the tag alone. */
  readonly tagPrefixes?: Readonly<Record<string, string>>;
  /** A condition that holds besides: for what the fields above cannot say. */
  readonly where?: Condition;
}

/**
 * What a list is ordered by. "created": instant of creation, then id. "updated": second of the last
 * change, then id. "id": the bytes of the id in UTF-8.
 */
export type SortField = "id" | "created" | "updated";

/** Which instances to list, and how. */
export interface ListQuery extends InstanceFilter, ReadOptions {
  /** 1 to 1,000. @default 100 */
  readonly pageSize?: number;
  /** `nextPageToken` of the page before; only for the same filter and order. */
  readonly pageToken?: string;
  /**
   * @default the order that costs least: "created"; "updated" where only a range of updates is given;
   * "id" where nothing is given, or the beginning of the id and neither parent nor tags; where
   * `tagPrefixes` is given, and neither parent nor `tags`, the value of its first tag, then "created".
   * What `where` implies counts as given.
   */
  readonly sortBy?: SortField;
  /** The other way round. @default false */
  readonly descending?: boolean;
}

/** One page of a list. */
export interface ListPage {
  /** May be fewer than asked for, and none, with a next page all the same. */
  readonly instances: readonly Instance[];
  /** Absent on the last page. */
  readonly nextPageToken?: string;
}
