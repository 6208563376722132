// SPDX-License-Identifier: Apache-2.0

import { isEngineError } from "@pawl/engine";
import type { Component, ComponentChoice, Components } from "../component/components.js";
import { componentHeader } from "../component/name.js";
import { DaprError } from "../dapr/error.js";
import type { ServedEngine } from "../options.js";
import type { RestCall, RestHandler } from "./router.js";

/** What a call says of the component that it is for. */
export function choiceOf(call: RestCall): ComponentChoice {
  const { workflowComponent: component = "" } = call.parameters;
  return { component, headerComponent: headerOf(call) };
}

/** Serves a path whose first segment is a component's name. */
export function inComponent(
  components: Components,
  create: (engine: ServedEngine) => RestHandler,
): RestHandler {
  return (call) => create(find(() => components.choose(choiceOf(call), false)).engine)(call);
}

/** Serves a path whose first segment may also be a workflow's type: then the header decides. */
export function inEarlyComponent(
  components: Components,
  create: (engine: ServedEngine) => RestHandler,
): RestHandler {
  return (call) => {
    const choice = choiceOf(call);
    const component = components.isKnown(choice.component ?? "")
      ? find(() => components.choose(choice, false))
      : find(() => components.require(headerOf(call)));
    return create(component.engine)(call);
  };
}

function headerOf({ request }: RestCall): string {
  return String(request.headers[componentHeader] ?? "");
}

/** @throws DaprError when there is no such component */
function find(choose: () => Component): Component {
  try {
    return choose();
  } catch (error) {
    if (!isEngineError(error)) throw error;
    throw DaprError.unknownComponent(error);
  }
}
