// SPDX-License-Identifier: Apache-2.0

import type { PlantedFault } from "./planted-fault.ts";

/** Faults by which the components of a server are not apart. */
export const componentFaults: readonly PlantedFault[] = [
  {
    name: "component-header-ignored",
    breaks: "a call with a component's header reaches the built-in engine",
    file: "component/by-component.ts",
    search: "components.require(namedComponent(context))",
    replace: "components.require(namedComponent(context).slice(0, 0))",
    suite: "server",
    tests: ["components.integration"],
  },
  {
    name: "component-path-ignored",
    breaks: "a REST path that names a component reaches the built-in engine",
    file: "component/components.ts",
    search: "return this.require(isIgnored ? headerComponent : component);",
    replace:
      "return this.require(isIgnored || this.isKnown(component) ? headerComponent : component);",
    suite: "server",
    tests: ["components.integration"],
  },
  {
    name: "component-one-folder",
    breaks: "two components keep their data in one folder",
    file: "component/open-component.ts",
    search: "componentFolder(dataDir, spec.name)",
    replace: 'componentFolder(dataDir, spec.name.slice(0, 0) || "all")',
    suite: "server",
    tests: ["components.integration", "components-reload"],
  },
  {
    name: "component-reload-closes-another",
    breaks: "a reload closes the components that it does not change",
    file: "component/component-keeper.ts",
    search: "if (spec !== undefined || name === builtInName) this.#change(name, entry, spec);",
    replace: "if (name === builtInName) this.#change(name, entry, spec);",
    suite: "server",
    tests: ["components-reload"],
  },
  {
    name: "component-calls-outlive-it",
    breaks: "a stream of a component goes on when that is no longer served",
    file: "component/by-component.ts",
    search: "const signal = AbortSignal.any([context.signal, gone]);",
    replace: "const signal = AbortSignal.any([context.signal, gone].slice(0, 1));",
    suite: "server",
    tests: ["components-reload"],
  },
  {
    name: "component-policy-of-another",
    breaks: "what a policy allows in one component is allowed in another",
    file: "auth/policy/policy.ts",
    search: "components.some((pattern) => fitsPattern(component, pattern)),",
    replace:
      "components.some((pattern) => fitsPattern(component, pattern) || component.length > 0),",
    suite: "server",
    tests: ["policy-components"],
  },
];
