// SPDX-License-Identifier: Apache-2.0

import type { FeedItem, InstanceFilter, ManagementPort } from "@pawl/engine";
import { allInstances, callEngine } from "../early/error.js";
import { parseFlag } from "../parameter.js";
import type { RestCall, RestHandler, RestReply } from "../router.js";
import { toEventJson } from "./history.js";
import { toFullJson } from "./json.js";
import { replyWithEvents, resumeTokenOf, type ServerEvent } from "./server-events.js";

/**
 * GET …/workflows/{component}/{instanceID}/watch: server-sent events, one for each state of the
 * instance, until its end. `history=true` adds the events of its history; `Last-Event-ID` goes on
 * where a connection broke.
 */
export function watchInstance(engine: ManagementPort): RestHandler {
  return (call) => {
    call.request.resume();
    const instanceId = call.parameters.instanceID ?? "";
    const subject = { subject: instanceId, instanceId };
    return callEngine("get", subject, () => replyWithEvents(changesOf(engine, instanceId, call)));
  };
}

async function* changesOf(
  engine: ManagementPort,
  instanceId: string,
  call: RestCall,
): AsyncGenerator<ServerEvent, void, undefined> {
  const history = parseFlag(call, "history", false);
  const options = { history, signal: call.signal, ...resumeTokenOf(call) };
  for await (const change of engine.watch(instanceId, options)) {
    const { instance, events, restarted, resumeToken } = change;
    const data = {
      instance: toFullJson(instance),
      ...(restarted ? { restarted } : {}),
      ...(events === undefined ? {} : { events: events.map(toEventJson) }),
    };
    yield { event: "changed", id: resumeToken, data };
  }
}

/** The same for every instance of a filter; does not end by itself. */
export function watchInstances(
  engine: ManagementPort,
  filter: InstanceFilter,
  call: RestCall,
): Promise<RestReply> {
  return callEngine("list", allInstances, () => replyWithEvents(itemsOf(engine, filter, call)));
}

async function* itemsOf(
  engine: ManagementPort,
  filter: InstanceFilter,
  call: RestCall,
): AsyncGenerator<ServerEvent, void, undefined> {
  const options = {
    existing: parseFlag(call, "existing", false),
    payloads: parseFlag(call, "payloads", false),
    signal: call.signal,
    ...resumeTokenOf(call),
  };
  for await (const item of engine.watchAll(filter, options)) {
    yield { event: item.kind, id: item.resumeToken, data: dataOf(item) };
  }
}

function dataOf(item: FeedItem): unknown {
  switch (item.kind) {
    case "changed":
      return { instance: toFullJson(item.instance) };
    case "purged":
      return { instanceID: item.instanceId };
    default:
      return {};
  }
}
