// SPDX-License-Identifier: Apache-2.0

import * as z from "zod";
import { parseYamlFile } from "../../config/yaml-file.js";
import type { Caller } from "../caller.js";
import { accessOf, type Operation, operations, type Scope, scopes } from "../operation.js";
import { fitsPattern } from "./name-pattern.js";

/** One permission: these callers may do these operations on workflows of these names, in these components. */
interface Rule {
  readonly callers: readonly string[];
  readonly operations: ReadonlySet<Operation>;
  readonly workflows: readonly string[];
  readonly components: readonly string[];
}

/** Names that a rule may give: an operation, or a scope for all operations that it opens. */
const operationNames = Object.keys(operations).filter(isOperation);
const names = [...new Set<string>([...operationNames, ...scopes])];

const patterns = (what: string) =>
  z
    .array(
      z.string("must be text").min(1, "must not be empty").max(512),
      `must be a list of ${what}`,
    )
    .min(1, "must not be empty");

const policyFile = z.strictObject({
  rules: z.array(
    z.strictObject({
      callers: patterns("callers").refine(
        (callers) =>
          callers.every((caller) => /^(token:|certificate:|anonymous$|\*$)/.test(caller)),
        'each must be "token:NAME", "certificate:SUBJECT", "anonymous" or "*"',
      ),
      operations: z
        .array(
          z.string().refine((name) => names.includes(name), {
            message: `must be one of ${names.join(", ")}`,
          }),
          "must be a list of operations",
        )
        .min(1, "must not be empty"),
      workflows: patterns("workflow names"),
      components: patterns("component names").default(["*"]),
    }),
    "must be a list of rules",
  ),
});

/** What callers may do: nothing but what some rule allows. */
export class Policy {
  readonly #rules: readonly Rule[];

  private constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  /**
   * Reads the text of a policy file.
   * @throws INVALID_ARGUMENT with file, line and field
   */
  static parse(file: string, text: string): Policy {
    const { rules } = parseYamlFile(file, text, policyFile);
    return new Policy(
      rules.map((rule) => ({
        callers: rule.callers,
        operations: new Set(rule.operations.flatMap(toOperations)),
        workflows: rule.workflows,
        components: rule.components,
      })),
    );
  }

  /** The same for one component: what rules for others allow is left out. */
  forComponent(component: string): Policy {
    return new Policy(
      this.#rules.filter(({ components }) =>
        components.some((pattern) => fitsPattern(component, pattern)),
      ),
    );
  }

  /** Whether a caller may do an operation on instances of a workflow. */
  allows(caller: Caller, operation: Operation, workflow: string): boolean {
    return this.#rulesFor(caller, operation).some(({ workflows }) =>
      workflows.some((pattern) => fitsPattern(workflow, pattern)),
    );
  }

  /** Whether a caller may do an operation on every workflow, also on those that nobody knows yet. */
  allowsEvery(caller: Caller, operation: Operation): boolean {
    return this.#rulesFor(caller, operation).some(({ workflows }) => workflows.includes("*"));
  }

  /** Whether a caller may do an operation on any workflow at all. */
  allowsSome(caller: Caller, operation: Operation): boolean {
    return this.#rulesFor(caller, operation).length > 0;
  }

  #rulesFor(caller: Caller, operation: Operation): readonly Rule[] {
    return this.#rules.filter(
      (rule) =>
        rule.operations.has(operation) &&
        rule.callers.some((pattern) => caller.names.some((name) => fitsPattern(name, pattern))),
    );
  }
}

function isOperation(name: string): name is Operation {
  return name in operations;
}

/** A scope stands for the operations that it opens; `admin` for all. */
function toOperations(name: string): Operation[] {
  const scope: Scope | undefined = scopes.find((known) => known === name);
  const opened = operationNames.filter((operation) => {
    const access = accessOf(operation);
    return typeof access !== "string" && (scope === "admin" || access.some((one) => one === scope));
  });
  return isOperation(name) ? [name, ...opened] : opened;
}
