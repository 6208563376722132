// SPDX-License-Identifier: Apache-2.0

import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { type BackupPort, dataFormatVersion } from "@pawl/engine";
import type { AdminService } from "@pawl/protocol";
import { packEntries } from "./message/entries.js";

/**
 * `pawl.v1.AdminService`.
 * @param otherComponents names of components that a backup of this one should tell of
 */
export function createAdminService(
  engine: BackupPort,
  otherComponents: () => string[],
): ServiceImpl<typeof AdminService> {
  return {
    async *backup(_, { signal }: HandlerContext) {
      const header = { formatVersion: dataFormatVersion, components: otherComponents() };
      yield { part: { case: "header" as const, value: header } };
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
