// SPDX-License-Identifier: Apache-2.0

import type { PlantedFault } from "./planted-fault.ts";

/** Faults by which the disk is trusted, or trusted with less than all. */
export const diskFaults: readonly PlantedFault[] = [
  {
    name: "disk-not-synced",
    breaks: "a commit is answered before the disk says that it has it",
    file: "store/abstract-store.ts",
    search: "await this.#putTogether(batch).write(synced);",
    replace: "await this.#putTogether(batch).write({ ...synced, sync: false });",
    suite: "power",
  },
  {
    name: "disk-names-not-synced",
    breaks: "folders are not synced: changes of files' names may be lost",
    file: "store/side-file.ts",
    search: "    await folder.sync();\n",
    replace: "    await folder.stat();\n",
    suite: "power",
  },
  {
    name: "disk-full-for-ever",
    breaks: "a store that a full disk has failed is opened once more, and not again",
    file: "runtime/supervisor.ts",
    search: "for (let waitMs = firstReopenMs; this.#closed === undefined; ) {",
    replace:
      "for (let waitMs = firstReopenMs; this.#closed === undefined && waitMs === firstReopenMs; ) {",
    suite: "full",
  },
  {
    name: "disk-end-not-missed",
    breaks: "that the newest commits are gone is not noticed",
    file: "store/commit-marks.ts",
    search: "  if (newest >= known) return;\n",
    replace: "  if (newest >= Math.min(known, 0)) return;\n",
    suite: "damage",
  },
  {
    name: "disk-hole-not-missed",
    breaks: "that commits in the middle are gone is not noticed",
    file: "store/commit-marks.ts",
    search: "newest - oldest + 1 !== keys.length",
    replace: "newest - oldest + 1 < keys.length",
    suite: "engine",
    tests: ["level-folder.integration", "level-files.integration", "damage.integration"],
  },
  {
    name: "disk-tables-not-looked-at",
    breaks: "the tables of a folder are not read before it is served",
    file: "store/sound-files.ts",
    search: "  let found = await inspect(dataDir, checkBytes);\n",
    replace: "  let found = await inspect(dataDir, Math.min(checkBytes, 0));\n",
    suite: "damage",
  },
  {
    name: "disk-lost-is-free",
    breaks: "an id that may have been in what was lost is said to be free",
    file: "store/level-store.ts",
    search: "    if (block === undefined) return undefined;\n",
    replace: "    if (block === undefined || block.offset >= 0n) return undefined;\n",
    suite: "engine",
    tests: ["salvage.integration", "salvage-tables.integration"],
  },
  {
    name: "disk-unreadable-is-nothing",
    breaks: "a place that the disk cannot read does not make the store fail",
    file: "store/abstract-store.ts",
    search: 'if (levelCode(cause) === "LEVEL_IO_ERROR") this.#onUnreadable(error);',
    replace: 'if (levelCode(cause) === "none") this.#onUnreadable(error);',
    suite: "engine",
    tests: ["unreadable.integration", "fail-stop.integration"],
  },
  {
    name: "disk-older-format-stays",
    breaks: "a folder of an older format is not said to be of the present one",
    file: "store/level-store.ts",
    search: "      await marks.renew({ formatVersion, lostBlocks });\n",
    replace: "      await marks.renew({ lostBlocks });\n",
    suite: "engine",
    tests: ["upgrade.integration"],
  },
  {
    name: "disk-scrub-sees-nothing",
    breaks: "the scrub of a running server reads the tables and says nothing",
    file: "store/level/scrub.ts",
    search: "        if (fault === undefined) continue;\n",
    replace: "        if (fault === undefined || name.length > 0) continue;\n",
    suite: "engine",
    tests: ["scrub.integration"],
  },
];
