// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { InstanceStatus } from "../gen/pawl/v1/instance_pb.js";
import { InstanceFilterSchema } from "../gen/pawl/v1/query_pb.js";
import type { InstanceFilter } from "../port/query.js";
import { fromFilterMessage, toFilterMessage } from "./filter.js";

const refuse = (what: string): never => {
  throw new Error(what);
};

describe("toFilterMessage()", () => {
  test.each<InstanceFilter>([
    {},
    {
      statuses: ["running", "stalled"],
      workflow: "w",
      instanceIdPrefix: "a",
      parentInstanceId: "p",
      createdFrom: 1,
      createdBefore: 2,
      updatedFrom: 3,
      updatedBefore: 4,
      tags: { team: "blue" },
      tagPrefixes: { team: "b" },
      where: { any: [] },
    },
  ])("keeps %j as it is", (filter) => {
    const message = create(InstanceFilterSchema, toFilterMessage(filter));
    expect(fromFilterMessage(message, refuse)).toEqual(filter);
  });
});

describe("fromFilterMessage()", () => {
  test("takes an unspecified status for any", () => {
    const statuses = [InstanceStatus.RUNNING, InstanceStatus.UNSPECIFIED];
    expect(fromFilterMessage(create(InstanceFilterSchema, { statuses }), refuse)).toEqual({});
  });
});
