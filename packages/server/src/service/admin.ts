// SPDX-License-Identifier: Apache-2.0

import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { type BackupPort, dataFormatVersion } from "@pawl/engine";
import type { AdminService } from "@pawl/protocol";
import { packEntries } from "./message/entries.js";

/** `pawl.v1.AdminService`. */
export function createAdminService(engine: BackupPort): ServiceImpl<typeof AdminService> {
  return {
    async *backup(_, { signal }: HandlerContext) {
      yield { part: { case: "header" as const, value: { formatVersion: dataFormatVersion } } };
      let entryCount = 0n;
      for await (const { entries, share } of engine.backup()) {
        for (const data of packEntries(entries)) {
          yield { part: { case: "entries" as const, value: { data, share } } };
        }
        entryCount += BigInt(entries.length);
        if (signal.aborted) return;
      }
      yield { part: { case: "trailer" as const, value: { entryCount } } };
    },
  };
}
