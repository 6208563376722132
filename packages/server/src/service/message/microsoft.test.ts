// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { GetWorkItemsRequestSchema } from "@pawl/protocol/task-hub";
import { expect, test } from "vitest";
import { readWorkerHints } from "./microsoft.js";

test("filters that are no message are the caller's fault", () => {
  const request = create(GetWorkItemsRequestSchema);
  // Two bytes: a field that says it is longer than what follows.
  const data = Uint8Array.of(2, 0x0a, 0x40);
  request.$unknown = [{ no: 11, wireType: WireType.LengthDelimited, data }];

  expect(() => readWorkerHints(request, "")).toThrow(
    expect.objectContaining({ code: "MALFORMED_REQUEST" }),
  );
});
