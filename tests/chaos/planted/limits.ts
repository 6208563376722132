// SPDX-License-Identifier: Apache-2.0

import type { PlantedFault } from "./planted-fault.ts";

/** Faults in what is too much, in settings that change, in pages, and in reruns with another input. */
export const limitFaults: readonly PlantedFault[] = [
  {
    name: "much-payload",
    breaks: "a payload over the limit is taken",
    file: "validate.ts",
    search: "  if (bytes === undefined) return;\n",
    replace: "  if (bytes === undefined || limitBytes > 0) return;\n",
    suite: "simulation",
  },
  {
    name: "much-result",
    breaks: "an activity's result over the limit is taken",
    file: "core/command/complete-activity.ts",
    search: "    excess === undefined\n",
    replace: "    excess === undefined || excess > 0\n",
    suite: "simulation",
  },
  {
    name: "much-history",
    breaks: "a history over the limit takes the turn in that made it so",
    file: "core/limit/history-limit.ts",
    search: "  if (fold.eventCount + added > events) {\n",
    replace: "  if (fold.eventCount > events) {\n",
    suite: "simulation",
  },
  {
    name: "settings-limits-stay",
    breaks: "limits on work at once that are changed do not hold",
    file: "runtime/runtime.ts",
    search: "    this.dispatch.setLimits(options.concurrency);\n",
    replace: "",
    suite: "simulation",
  },
  {
    name: "settings-times-stay",
    breaks: "retention times that are changed do not hold",
    file: "runtime/runtime.ts",
    search: "      this.retention.change(options.retention);\n",
    replace: "      this.retention.change(before.retention);\n",
    suite: "simulation",
  },
  {
    name: "settings-not-reopened",
    breaks: "settings that were changed are forgotten when the store is opened again",
    file: "runtime/supervisor.ts",
    search: "    this.#options = options;\n    this.#runtime?.reconfigure(options);\n",
    replace: "    this.#runtime?.reconfigure(options);\n",
    suite: "simulation",
  },
  {
    name: "page-again",
    breaks: "a page begins with what the one before ended with",
    file: "runtime/read/query/stream.ts",
    search: "    if (after !== undefined) this.#skipTo(after, true);\n",
    replace: "    if (after !== undefined) this.#skipTo(after, false);\n",
    suite: "simulation",
  },
  {
    name: "page-last",
    breaks: "a page that is full ends the list",
    file: "runtime/read/query/page.ts",
    search: "      const isLast = at === rows.length - 1 && places.isAtEnd();\n",
    replace: "      const isLast = at === rows.length - 1;\n",
    suite: "simulation",
  },
  {
    name: "rerun-input-stays",
    breaks: "an activity that is to be run again with another input gets what it had",
    file: "core/reissue.ts",
    search: 'optional("input", replaceInput.input)',
    replace: 'optional("input", value.input)',
    suite: "simulation",
  },
];
