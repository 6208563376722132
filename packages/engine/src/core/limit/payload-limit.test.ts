// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import {
  limits,
  OrchestrationStatus,
  type WorkflowAction,
  WorkflowActionSchema,
  WorkflowVersionNotAvailableActionSchema,
} from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { excessBytes, limitActions, payloadFailure } from "./payload-limit.js";

const tooLong = "x".repeat(limits.payloadBytes + 1);

function action(type: WorkflowAction["workflowActionType"]): WorkflowAction {
  return { ...create(WorkflowActionSchema, { id: 4 }), workflowActionType: type };
}

function init(value: Parameters<typeof create<typeof WorkflowActionSchema>>[1]): WorkflowAction {
  return create(WorkflowActionSchema, value);
}

describe("excessBytes()", () => {
  test("lets a payload of exactly the limit pass", () => {
    expect(excessBytes("x".repeat(limits.payloadBytes))).toBeUndefined();
    expect(excessBytes(undefined)).toBeUndefined();
  });

  test.each(["x", "é", "€", "😀"])("counts the UTF-8 bytes of %s", (character) => {
    const count = Math.ceil(limits.payloadBytes / Buffer.byteLength(character)) + 1;
    const text = character.repeat(count);
    expect(excessBytes(text)).toBe(Buffer.byteLength(text));
  });
});

describe("limitActions()", () => {
  test("fails the instance plainly for a failure over the limit, and takes any other", () => {
    const failed = (errorMessage: string) =>
      init({
        workflowActionType: {
          case: "completeWorkflow",
          value: {
            workflowStatus: OrchestrationStatus.FAILED,
            failureDetails: { errorType: "E", errorMessage },
          },
        },
      });
    expect(limitActions([failed(tooLong)], undefined)[0]?.workflowActionType.value).toMatchObject({
      failureDetails: { errorType: "PayloadTooLarge" },
    });
    const short = [failed("no stock")];
    expect(limitActions(short, undefined)).toBe(short);
  });

  test("leaves actions within the limit alone", () => {
    const actions = [
      action({
        case: "workflowVersionNotAvailable",
        value: create(WorkflowVersionNotAvailableActionSchema),
      }),
    ];
    expect(limitActions(actions, "fine")).toBe(actions);
  });

  test.each([
    ["scheduleTask", { case: "scheduleTask", value: { name: "a", input: tooLong } }],
    ["createChildWorkflow", { case: "createChildWorkflow", value: { name: "a", input: tooLong } }],
    [
      "terminateWorkflow",
      { case: "terminateWorkflow", value: { instanceId: "b", reason: tooLong } },
    ],
    [
      "createDetachedWorkflow",
      {
        case: "createDetachedWorkflow",
        value: { instanceId: "b", name: "a", input: tooLong },
      },
    ],
    ["sendEvent", { case: "sendEvent", value: { name: "a", data: tooLong } }],
    ["completeWorkflow", { case: "completeWorkflow", value: { result: tooLong } }],
  ] as const)("fails the instance for a payload of %s over the limit", (_name, type) => {
    const [only, ...rest] = limitActions([init({ id: 7, workflowActionType: type })], undefined);
    expect(rest).toEqual([]);
    expect(only?.id).toBe(7);
    expect(only?.workflowActionType).toMatchObject({
      case: "completeWorkflow",
      value: {
        workflowStatus: OrchestrationStatus.FAILED,
        failureDetails: { errorType: "PayloadTooLarge", isNonRetriable: true },
      },
    });
  });

  test("fails the instance for a custom status over the limit", () => {
    const [only] = limitActions([], tooLong);
    expect(only?.workflowActionType.case).toBe("completeWorkflow");
    expect(only?.id).toBe(-1);
  });
});

describe("limitActions() with an action that no engine can carry out", () => {
  const completion = { case: "completeWorkflow", value: { result: "1" } } as const;

  test.each([
    ["is of no known kind", init({ id: 3 }), "action 3 is of a kind"],
    [
      "starts a detached workflow without an id",
      init({ id: 3, workflowActionType: { case: "createDetachedWorkflow", value: { name: "n" } } }),
      'action 3 (workflow "n"): an instance id is needed',
    ],
    [
      "starts a detached workflow with a forbidden id",
      init({
        id: 3,
        workflowActionType: { case: "createDetachedWorkflow", value: { instanceId: "a\nb" } },
      }),
      "control characters",
    ],
    ["has an id of more than 32 bits", init({ id: 2 ** 31, workflowActionType: completion }), "id"],
  ])("fails the instance when it %s", (_, impossible, message) => {
    const good = init({ id: 2, workflowActionType: completion });
    const [only, ...rest] = limitActions([good, impossible], undefined);
    expect(rest).toEqual([]);
    expect(only?.id).toBeLessThan(2 ** 31);
    expect(only?.workflowActionType).toMatchObject({
      case: "completeWorkflow",
      value: {
        workflowStatus: OrchestrationStatus.FAILED,
        failureDetails: {
          errorType: "InvalidAction",
          errorMessage: expect.stringContaining(message),
          isNonRetriable: true,
        },
      },
    });
  });

  test("fails the instance when there are too many actions", () => {
    const action = init({ id: 2, workflowActionType: completion });
    const actions = new Array<WorkflowAction>(limits.turnActions + 1).fill(action);
    expect(limitActions(actions, undefined)).toHaveLength(1);
  });
});

describe("payloadFailure()", () => {
  test("says what is too large, by how much and what to do", () => {
    expect(payloadFailure("the output", 5_000_000).errorMessage).toBe(
      `the output has 5000000 bytes; at most ${limits.payloadBytes} are allowed: keep large data elsewhere and pass a reference`,
    );
  });
});
