// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { readBody } from "./body.js";
import { malformed } from "./malformed.js";
import type { RestCall } from "./router.js";

/**
 * The body of a request as what a schema says; none counts as an empty object.
 * Rejects with ERR_MALFORMED_REQUEST, which names each field that is wrong.
 */
export async function readJson<T>(
  { request, bodyLimitBytes }: RestCall,
  schema: z.ZodType<T>,
): Promise<T> {
  const body = await readBody(request, bodyLimitBytes);
  const parsed = schema.safeParse(body.length === 0 ? {} : parseJson(body));
  if (parsed.success) return parsed.data;
  throw malformed(parsed.error.issues.map(describeIssue).join("; "));
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw malformed("the body is not JSON");
  }
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${z.core.toDotPath(path)}: ${message}`;
}
