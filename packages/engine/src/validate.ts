// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import type { BatchCommand, RerunCommand, StartCommand } from "@pawl/protocol/port";
import { instanceIdFault } from "./core/instance-id.js";
import { tagsFault } from "./core/limit/action-fault.js";
import { excessBytes } from "./core/limit/payload-limit.js";
import { EngineError } from "./errors.js";

/** @throws INVALID_ARGUMENT unless the text can be an instance id */
export function requireInstanceId(instanceId: string): void {
  const fault = instanceIdFault(instanceId);
  if (fault !== undefined) throw invalid("instanceId", fault);
}

/** @throws INVALID_ARGUMENT unless the text can be a name; `what` says of what */
export function requireName(what: string, name: string): void {
  const bytes = Buffer.byteLength(name, "utf8");
  if (bytes === 0) throw invalid(what, `the name of the ${what} is missing`);
  if (bytes > limits.nameBytes) {
    throw invalid(
      what,
      `the name of the ${what} has ${bytes} bytes; at most ${limits.nameBytes} are allowed`,
    );
  }
  // It could not be told apart from others once it is written.
  if (/\p{Surrogate}/u.test(name))
    throw invalid(what, `the name of the ${what} has half a character`);
}

/** @throws PAYLOAD_TOO_LARGE */
export function requirePayload(
  what: string,
  payload: string | undefined,
  limitBytes: number = limits.payloadBytes,
): void {
  const bytes = excessBytes(payload, limitBytes);
  if (bytes === undefined) return;
  throw new EngineError(
    "PAYLOAD_TOO_LARGE",
    `the ${what} has ${bytes} bytes; at most ${limitBytes} are allowed: keep large data elsewhere and pass a reference`,
    { details: { bytes: String(bytes), limit: String(limitBytes) } },
  );
}

/** @throws INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
export function requireStart(command: StartCommand, inputBytes: number): void {
  requireName("workflow", command.workflow);
  if (command.instanceId) requireInstanceId(command.instanceId);
  requirePayload("input", command.input, inputBytes);
  const fault = tagsFault(command.tags ?? {});
  if (fault !== undefined) throw invalid("tags", fault);
  if (command.startAt !== undefined && !Number.isSafeInteger(Math.ceil(command.startAt))) {
    throw invalid("startAt", "the start time is not a time");
  }
}

/** @throws INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
export function requireRerun(command: RerunCommand): void {
  const { eventId, newInstanceId, newChildInstanceId, replaceInput } = command;
  if (!Number.isSafeInteger(eventId) || eventId < 0) {
    throw invalid("eventId", "the event id is not that of an event that can be rerun");
  }
  if (newInstanceId) requireInstanceId(newInstanceId);
  if (newChildInstanceId) requireInstanceId(newChildInstanceId);
  requirePayload("input", replaceInput?.input);
}

/** @throws INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
export function requireBatchFacts({ batchId, reason, output }: BatchCommand): void {
  const fault = batchId ? instanceIdFault(batchId) : undefined;
  if (fault !== undefined) {
    throw invalid("batchId", `the id of a batch is written like that of an instance: ${fault}`);
  }
  requirePayload("reason", reason);
  requirePayload("output", output);
}

function invalid(field: string, message: string): EngineError {
  return new EngineError("INVALID_ARGUMENT", message, { details: { field } });
}
