// SPDX-License-Identifier: Apache-2.0

import type { ServerMetadata } from "../metadata.js";
import { readBody } from "./body.js";
import type { RestHandler } from "./router.js";

/** GET /v1.0/metadata. */
export function getMetadata(metadata: ServerMetadata): RestHandler {
  return ({ request }) => {
    request.resume();
    const { id, runtimeVersion, extended, connectedWorkers, components } = metadata.read();
    return {
      status: 200,
      body: {
        id,
        runtimeVersion,
        ...(components.length === 0 ? {} : { components }),
        extended,
        ...(connectedWorkers === 0 ? {} : { workflows: { connectedWorkers } }),
      },
    };
  };
}

/** PUT /v1.0/metadata/{key}: the body is the value, as text. */
export function putMetadata(metadata: ServerMetadata): RestHandler {
  return async ({ request, parameters, bodyLimitBytes }) => {
    const value = await readBody(request, bodyLimitBytes);
    metadata.set(parameters.key ?? "", Buffer.from(value).toString("utf8"));
    return { status: 204 };
  };
}
