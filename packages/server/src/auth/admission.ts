// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "@pawl/engine";
import { rpcOperations } from "./access.js";
import type { Caller } from "./caller.js";
import { requireAccess } from "./credentials.js";
import { isServerOperation, type Operation } from "./operation.js";
import { currentAccess, runWithAccess } from "./policy/access-context.js";
import type { Policy } from "./policy/policy.js";

/**
 * Checks that a caller who is known may do an operation, as far as that can be told before the engine
 * is asked.
 * @throws PERMISSION_DENIED
 */
export function requireAdmission(
  caller: Caller,
  operation: Operation | undefined,
  policy: (() => Policy) | undefined,
): void {
  requireAccess(caller, operation);
  if (operation !== undefined && isServerOperation(operation) && policy !== undefined) {
    requireRule(policy(), caller, operation);
  }
}

/**
 * Runs a call as its caller.
 * @param procedure service and method
 * @throws PERMISSION_DENIED, and what the call throws
 */
export type AdmitCall = <T>(procedure: string, run: () => T) => T;

/**
 * How calls that come on one stream are let in: with the caller of the stream, as the gate lets in
 * calls that come by themselves. To be called while the stream's own request is being answered.
 */
export function createAdmission(policy: (() => Policy) | undefined): AdmitCall {
  const access = currentAccess();
  return (procedure, run) => {
    if (access === undefined) {
      throw new EngineError("UNAUTHENTICATED", "a call came outside of a request");
    }
    const { caller } = access;
    const operation = rpcOperations.get(`/${procedure}`);
    requireAdmission(caller, operation, policy);
    return policy === undefined ? run() : runWithAccess({ caller, operation }, run);
  };
}

/** @throws PERMISSION_DENIED when no rule gives the operation to the caller */
export function requireRule(policy: Policy, caller: Caller, operation: Operation): void {
  if (!policy.allowsSome(caller, operation)) {
    const who = caller.names.join(", ");
    throw new EngineError(
      "PERMISSION_DENIED",
      `the policy has no rule for ${who} with "${operation}"`,
      { details: { operation } },
    );
  }
}
