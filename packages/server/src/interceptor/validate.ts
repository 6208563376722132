// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import type { Interceptor } from "@connectrpc/connect";
import { createValidateInterceptor } from "@connectrpc/validate";
import { EngineError } from "@pawl/engine";

const validator = createValidator();

/**
 * Checks every request against the rules of its proto file; one that breaks a rule is answered with
 * INVALID_ARGUMENT and the violations as a detail.
 */
export function createRequestValidation(): Interceptor {
  return createValidateInterceptor({ validator });
}

/** Whether `createRequestValidation` has nothing to say against a request. */
export function isValidRequest(schema: DescMessage, message: Message): boolean {
  return validator.validate(schema, message).kind === "valid";
}

/**
 * Checks one message against the rules of its proto file.
 * @throws INVALID_ARGUMENT
 */
export function validateMessage<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): void {
  const result = validator.validate(schema, message);
  if (result.kind !== "valid") {
    throw new EngineError("INVALID_ARGUMENT", result.error.message, { cause: result.error });
  }
}
