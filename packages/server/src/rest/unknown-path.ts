// SPDX-License-Identifier: Apache-2.0

import { DaprError } from "../dapr/error.js";
import type { HttpRequest } from "../listen.js";

/**
 * Refuses a method and path that lead nowhere, as Dapr does: it takes them for a call to another
 * app and finds no app in it.
 * @throws ERR_DIRECT_INVOKE
 */
export function refuseUnknownPath(request: HttpRequest): never {
  request.resume();
  throw DaprError.of(
    "ERR_DIRECT_INVOKE",
    "failed getting app id either from the URL path or the header dapr-app-id",
  );
}
