// SPDX-License-Identifier: Apache-2.0

import type { PlantedFault } from "./planted-fault.ts";

/** Faults in what becomes of an instance, its id and its family. */
export const lifecycleFaults: readonly PlantedFault[] = [
  {
    name: "life-carried-events-reversed",
    breaks: "events are carried over to the next execution in another order",
    file: "core/continue-as-new.ts",
    search: "...suspension(state, taken, now), ...carried(action)]",
    replace: "...suspension(state, taken, now), ...carried(action).reverse()]",
    suite: "engine",
    tests: ["core/continue-as-new"],
  },
  {
    name: "life-child-of-another",
    breaks: "who had a child's id before is purged with the parent",
    file: "runtime/subtree.ts",
    search: "return parentExecutionId === undefined || parentExecutionId === parent?.executionId;",
    replace: 'return parentExecutionId === undefined || parent?.executionId !== "";',
    suite: "engine",
    tests: ["once.integration", "purge.integration"],
  },
  {
    name: "life-outdated-look-below",
    breaks: "an id is used again on a look below the execution before",
    file: "runtime/subtree.ts",
    search: "return state !== undefined && hasEnded(state) && state.executionId !== executionId;",
    replace: "return state === undefined && executionId !== undefined;",
    suite: "engine",
    tests: ["races.integration"],
  },
  {
    name: "life-start-time-unbounded",
    breaks: "a start time that cannot be stored fails the store, again and again",
    file: "core/command/receive.ts",
    search: "Math.min(Math.max(fromTimestamp(at), 0), Number.MAX_SAFE_INTEGER)",
    replace: "fromTimestamp(at)",
    suite: "engine",
    tests: ["limits.integration"],
  },
  {
    name: "life-failure-unbounded",
    breaks: "a failure that is nested too deep is tried for ever",
    file: "core/limit/failure-limit.ts",
    search: "return chainOf(failure).length < depthLimit ? failure : cut(failure, depthLimit);",
    replace: "return depthLimit > 0 ? failure : cut(failure, chainOf(failure).length);",
    suite: "engine",
    tests: ["limits.integration", "core/limit"],
  },
  {
    name: "life-retention-takes-older",
    breaks: "older executions go with the present one, whatever their own time",
    file: "runtime/retention/remove-present.ts",
    search: "const newest = rows.find(isKept);",
    replace: "const newest = rows.find((row) => isKept(row) && row.generation < 0);",
    suite: "engine",
    tests: ["retention.integration"],
  },
  {
    name: "life-span-before-commit",
    breaks: "a span tells of what is not written",
    file: "runtime/trace/tracing.ts",
    search: "      committed.then(emit, () => {});",
    replace: "      committed.catch(() => {});\n      emit();",
    suite: "engine",
    tests: ["tracing.integration"],
  },
];
