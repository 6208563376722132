// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { BatchGroup } from "./batch-group.js";
import type { LoggedWrite } from "./level-log.js";
import type { Recording } from "./recording.js";

const instanceId = "00000000-0000-4000-8000-000000000000";

function put(key: string, value: string): LoggedWrite {
  return { type: "put", key: Buffer.from(key), value: Buffer.from(value) };
}

const recording: Recording = {
  instanceId,
  batches: [
    [put(`row:${instanceId}`, `of ${instanceId}`), put("mark0001", "")],
    [put(`row:${instanceId}`, "end"), put("mark0002", "")],
  ],
};

test("BatchGroup holds each chain's writes once and each batch's mark once", () => {
  const group = new BatchGroup(recording, 3);

  expect(group.batches.map((batch) => batch.length)).toEqual([4, 4]);
});

test("renew() gives each chain one new id and each mark a new key", () => {
  const group = new BatchGroup(recording, 2);
  const seen = new Set<string>();
  for (let round = 0; round < 2; round += 1) {
    group.renew();
    const [first = [], second = []] = group.batches;
    for (const chain of [0, 1]) {
      const id = first[chain]?.key.toString().slice(4) ?? "";
      expect(first[chain]).toMatchObject({ value: Buffer.from(`of ${id}`) });
      expect(second[chain]?.key.toString()).toBe(`row:${id}`);
      seen.add(id);
    }
    seen.add(first[2]?.key.toString("hex") ?? "");
    seen.add(second[2]?.key.toString("hex") ?? "");
  }
  expect(seen.size).toBe(8);
  expect(seen).not.toContain(instanceId);
});
