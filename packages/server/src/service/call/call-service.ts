// SPDX-License-Identifier: Apache-2.0

import type { ServiceImpl } from "@connectrpc/connect";
import { type CallService, limits } from "@pawl/protocol";
import type { AdmitCall } from "../../auth/admission.js";
import type { ServiceRouter } from "../../rpc/handler.js";
import { CallAllowance } from "./call-allowance.js";
import { CallConnection } from "./call-connection.js";

/**
 * `pawl.v1.CallService`: many calls on one stream, each to the same method, by the same interceptors,
 * as one that comes by itself.
 *
 * @param services where methods are looked up
 * @param openAdmission lets the calls of a stream in; asked at its beginning
 */
export function createCallService(
  services: Pick<ServiceRouter, "find">,
  openAdmission: () => AdmitCall,
): ServiceImpl<typeof CallService> {
  const total = new CallAllowance(limits.streamedCalls);
  return {
    call(requests, context) {
      const find = (procedure: string) => services.find(procedure);
      const connection = new CallConnection({ find, admit: openAdmission(), total }, context);
      return connection.run(requests[Symbol.asyncIterator]());
    },
  };
}
