// SPDX-License-Identifier: Apache-2.0

import type { Instance } from "@pawl/client";
import type { HistoryEvent } from "@pawl/protocol";
import { instanceStatuses } from "@pawl/protocol/message";
import type { Found, Observed } from "./check.ts";
import { readHistoryFacts } from "./history-facts.ts";

interface SourceQuery {
  readonly statuses?: readonly Instance["status"][];
  readonly payloads?: boolean;
  readonly pageSize?: number;
}

/** What can be read of an engine, near or far. */
export interface Source {
  list(query: SourceQuery): AsyncIterable<Instance>;
  get(instanceId: string): Promise<Instance | undefined>;
  history(instanceId: string): Promise<HistoryEvent[]>;
}

/** What was read, and the whole history of each instance. */
export interface Observation extends Found {
  readonly histories: ReadonlyMap<string, readonly HistoryEvent[]>;
}

/** Instances that are read side by side. */
const parallel = 16;

/** Reads everything: the lists, and each listed or wanted instance with its history. */
export async function observe(source: Source, wanted: Iterable<string>): Promise<Observation> {
  const listed = await listIds(source, {});
  const listedByStatus = new Map<string, readonly string[]>();
  for (const status of instanceStatuses) {
    listedByStatus.set(status, await listIds(source, { statuses: [status] }));
  }
  const instances = new Map<string, Observed>();
  const histories = new Map<string, readonly HistoryEvent[]>();
  const ids = [...new Set([...wanted, ...listed])].filter((id) => !isSleeper(id));
  for (let at = 0; at < ids.length; at += parallel) {
    await Promise.all(
      ids.slice(at, at + parallel).map(async (id) => {
        const instance = await source.get(id);
        if (instance === undefined) return;
        const history = await source.history(id);
        instances.set(id, { ...instance, facts: readHistoryFacts(history) });
        histories.set(id, history);
      }),
    );
  }
  return { instances, listed, listedByStatus, histories };
}

/** Instances that only lie there, so that there is more to recover from. */
export function isSleeper(instanceId: string): boolean {
  return instanceId.startsWith(sleeperPrefix);
}

/** How the ids of sleepers begin. */
export const sleeperPrefix = "sleeper-";

async function listIds(source: Source, query: SourceQuery): Promise<string[]> {
  const ids: string[] = [];
  for await (const { instanceId } of source.list({ ...query, payloads: false, pageSize: 1000 })) {
    if (!isSleeper(instanceId)) ids.push(instanceId);
  }
  return ids;
}
