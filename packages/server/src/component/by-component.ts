// SPDX-License-Identifier: Apache-2.0

import type { DescService } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { namedComponent } from "../rpc/component-value.js";
import { createLazyFields } from "../rpc/lazy-fields.js";
import type { Component, Components } from "./components.js";

type Method = (request: unknown, context: HandlerContext) => unknown;

/**
 * A service that answers each call with the implementation for the component that its header names.
 * Calls that go on for long end when their component is no longer served.
 * @param create makes the implementation for one component
 */
export function byComponent<Service extends DescService>(
  service: Service,
  components: Components,
  create: (component: Component) => ServiceImpl<Service>,
): ServiceImpl<Service> {
  const made = new WeakMap<Component, Readonly<Record<string, Method>>>();
  const methodsFor = (component: Component): Readonly<Record<string, Method>> => {
    let methods = made.get(component);
    if (methods === undefined) {
      // What all methods of all services have in common is more than their types say.
      methods = create(component) as unknown as Readonly<Record<string, Method>>;
      made.set(component, methods);
    }
    return methods;
  };
  const methods = service.methods.map(({ localName, methodKind }): [string, Method] => [
    localName,
    (request, context) => {
      const component = components.require(namedComponent(context));
      const method = methodsFor(component)[localName];
      if (method === undefined) throw new Error(`${localName} is not implemented`);
      return method(request, methodKind === "unary" ? context : whileServed(context, component));
    },
  ]);
  return Object.fromEntries(methods) as unknown as ServiceImpl<Service>;
}

const withContext = createLazyFields({
  url: (context: HandlerContext) => context.url,
  requestHeader: (context: HandlerContext) => context.requestHeader,
  responseHeader: (context: HandlerContext) => context.responseHeader,
  responseTrailer: (context: HandlerContext) => context.responseTrailer,
  values: (context: HandlerContext) => context.values,
});

/** The context with a signal that also ends with the component. */
function whileServed(context: HandlerContext, { gone }: Component): HandlerContext {
  const { method, service, requestMethod, protocolName } = context;
  const timeoutMs = (): number | undefined => context.timeoutMs();
  const signal = AbortSignal.any([context.signal, gone]);
  return withContext({ method, service, requestMethod, protocolName, timeoutMs, signal }, context);
}
