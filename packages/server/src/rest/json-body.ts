// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { readBody } from "./body.js";
import { malformed } from "./malformed.js";
import type { RestCall } from "./router.js";

/**
 * The body of a request as what a schema says; none counts as an empty object.
 * Rejects with ERR_MALFORMED_REQUEST, which names each field that is wrong.
 */
export async function readJson<T>(call: RestCall, schema: z.ZodType<T>): Promise<T> {
  return (await readJsonText(call, schema)).value;
}

/** The same with the text, for what is to be taken as it was written. */
export async function readJsonText<T>(
  { request, bodyLimitBytes }: RestCall,
  schema: z.ZodType<T>,
): Promise<{ readonly value: T; readonly text: string }> {
  const body = await readBody(request, bodyLimitBytes);
  const { value, text } = body.length === 0 ? { value: {}, text: "{}" } : parseJson(body);
  const parsed = schema.safeParse(value);
  if (parsed.success) return { value: parsed.data, text };
  throw malformed(parsed.error.issues.map(describeIssue).join("; "));
}

function parseJson(body: Uint8Array): { value: unknown; text: string } {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    return { value: JSON.parse(text), text };
  } catch {
    throw malformed("the body is not JSON");
  }
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${z.core.toDotPath(path)}: ${message}`;
}
