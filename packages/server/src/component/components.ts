// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "@pawl/engine";
import type { ServedEngine } from "../options.js";
import { workflowType } from "./component-settings.js";
import { builtInName } from "./name.js";

/** A workflow component that is served. */
export interface Component {
  readonly name: string;
  readonly type: string;
  readonly version: string;
  /** A port on which it is meant where a call names none. @default none */
  readonly port?: number;
  /** Its engine, as callers may see it. */
  readonly engine: ServedEngine;
  /** Aborted when it is no longer served. */
  readonly gone: AbortSignal;
}

/** How a call says which component it is for. */
export interface ComponentChoice {
  /** A name in the path, or in a field of the request. @default none */
  readonly component?: string;
  /** A name in the call's header. @default none */
  readonly headerComponent?: string;
}

/** The components of a server, each with an engine and data of its own. */
export class Components {
  readonly #served = new Map<string, Component>();
  /** Names of components that are not served, though there is data, or a file. */
  #withheld: ReadonlySet<string> = new Set();
  readonly #listeners = new Set<() => void>();
  #takesAnyName: boolean;

  /**
   * @param takesAnyName as long as there is no other, take any name in Dapr's API for the built-in one.
   * Not where files may name others: one that comes in a moment is another already.
   */
  constructor(takesAnyName: boolean) {
    this.#takesAnyName = takesAnyName;
  }

  /** Just the built-in component. */
  static of(engine: ServedEngine): Components {
    const components = new Components(true);
    const { signal: gone } = new AbortController();
    components.add({ name: builtInName, type: workflowType, version: "v1", engine, gone });
    return components;
  }

  /** From now on only names of components are taken: there may be others at any time. */
  requireNames(): void {
    this.#takesAnyName = false;
  }

  /** Serves one more, or one in another's place. */
  add(component: Component): void {
    this.#served.set(component.name, component);
    this.withhold(this.#withheld);
    component.engine.onReadyChange(() => this.#announce());
    this.#announce();
  }

  /** Gives one another port, or none. */
  setPort(name: string, port: number | undefined): void {
    const component = this.#served.get(name);
    if (component === undefined || component.port === port) return;
    const { port: _, ...rest } = component;
    this.#served.set(name, port === undefined ? rest : { ...rest, port });
    this.#announce();
  }

  /** Serves one no longer. Its name stays known. */
  remove(name: string): void {
    if (!this.#served.delete(name)) return;
    this.expect(name);
    this.#announce();
  }

  /** From now on a name is known to be a component, which may be served in a moment. */
  expect(name: string): void {
    this.#withheld = new Set([...this.#withheld, name]);
  }

  /** Names that are known to be components, though they are not served. */
  withhold(names: Iterable<string>): void {
    this.#withheld = new Set([...names].filter((name) => !this.#served.has(name)));
  }

  /** All that are served, the built-in one first. */
  list(): readonly Component[] {
    return [...this.#served.values()];
  }

  /** Names of all that are served but the built-in one. */
  others(): string[] {
    return this.list().flatMap(({ name }) => (name === builtInName ? [] : [name]));
  }

  /** Whether a name is that of a component, served or not. */
  isKnown(name: string): boolean {
    return this.#served.has(name) || this.#withheld.has(name);
  }

  /** The component of a name; the built-in one for none. @throws COMPONENT_NOT_FOUND */
  require(name: string): Component {
    const component = this.#served.get(name === "" ? builtInName : name);
    if (component !== undefined) return component;
    throw new EngineError("COMPONENT_NOT_FOUND", `workflow component '${name}' does not exist`, {
      details: { component: name },
    });
  }

  /**
   * The component that a call of Dapr's API is for. `dapr` and no name are the built-in one, unless
   * the header names another. Dapr takes any name since 1.15, and before, it refused those that it
   * did not know; so it is here, where there may be more than one component: a name that is wrong must
   * not lead to another's data.
   * @param ignoresUnknown take an unknown name as Dapr does since 1.15
   * @throws COMPONENT_NOT_FOUND
   */
  choose(choice: ComponentChoice, ignoresUnknown: boolean): Component {
    const { component = "", headerComponent = "" } = choice;
    if (component === "" || component === builtInName) return this.require(headerComponent);
    const isSingle = this.#takesAnyName && this.#served.size + this.#withheld.size === 1;
    const isIgnored = !this.isKnown(component) && (ignoresUnknown || isSingle);
    return this.require(isIgnored ? headerComponent : component);
  }

  /** Names of those that take no commands now. */
  unready(): string[] {
    return this.list().flatMap(({ name, engine }) => (engine.isReady() ? [] : [name]));
  }

  /** Calls back whenever a component comes, goes, or may have become ready or not; returns how to stop. */
  onChange(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** Workers that are connected, over all components. */
  workerCount(): number {
    return this.list().reduce((count, { engine }) => count + engine.workerCount(), 0);
  }

  #announce(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
