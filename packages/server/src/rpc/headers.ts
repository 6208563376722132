// SPDX-License-Identifier: Apache-2.0

import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";

/** Where a call keeps its headers as Node gave them, to spare those that need none the web's form. */
export const nodeHeaders: unique symbol = Symbol("nodeHeaders");

/** A call whose headers can be looked at for nothing. */
export interface HasNodeHeaders {
  readonly [nodeHeaders]?: IncomingHttpHeaders;
}

/** Headers of a request in the web's form, without HTTP/2's own (":path", …). */
export function toWebHeaders(headers: IncomingHttpHeaders): Headers {
  const web = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":")) {
      continue;
    }
    for (const one of Array.isArray(value) ? value : [value]) {
      web.append(name, one);
    }
  }
  return web;
}

/** `base` with headers in the web's form on top. */
export function withHeaders(base: OutgoingHttpHeaders, web: Headers): OutgoingHttpHeaders {
  const headers = { ...base };
  for (const [name, value] of web) {
    const before = headers[name];
    // Only set-cookie comes more than once.
    headers[name] =
      name === "set-cookie" && before !== undefined ? [before, value].flat().map(String) : value;
  }
  return headers;
}
