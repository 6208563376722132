// SPDX-License-Identifier: Apache-2.0

import type { HttpRequest } from "../listen.js";
import { bodyLimitBytes, readBody } from "./body.js";
import { malformed } from "./instance/query.js";

/** The body of a request as JSON; undefined when there is none. Rejects with ERR_MALFORMED_REQUEST. */
export async function readJson(request: HttpRequest): Promise<unknown> {
  const body = await readBody(request, bodyLimitBytes(false));
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw malformed("the body is not JSON");
  }
}
