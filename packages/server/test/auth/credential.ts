// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import { type Scope, scopes } from "../../src/auth/operation.js";

/** A token per scope, new in each run so that no other text can be taken for one. */
export const tokens: Readonly<Record<Scope, string>> = {
  read: newToken(),
  operate: newToken(),
  work: newToken(),
  admin: newToken(),
};

function newToken(): string {
  return `aB-${randomBytes(24).toString("base64url")}`;
}

/** Writes a tokens file with these tokens. */
export async function writeTokens(file: string, known: Partial<Record<Scope, string>> = tokens) {
  const entries = Object.entries(known).map(([scope, token]) => ({
    name: scope,
    token,
    scopes: [scope],
  }));
  await writeFile(file, stringify({ tokens: entries }));
}

/** What a request shows: headers, and a query to put behind its path. */
export interface Credential {
  readonly title: string;
  readonly headers: [string, string][];
  readonly query?: string;
  /** The scope that it proves; absent: none, the server must not know it. */
  readonly scope?: Scope;
}

function changeCase(text: string): string {
  return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase();
}

const { admin } = tokens;

/** Every kind of credential, right and wrong. */
export const credentials: readonly Credential[] = [
  { title: "none", headers: [] },
  { title: "empty", headers: [["dapr-api-token", ""]] },
  { title: "wrong", headers: [["dapr-api-token", newToken()]] },
  { title: "truncated", headers: [["dapr-api-token", admin.slice(0, -1)]] },
  { title: "lengthened", headers: [["dapr-api-token", `${admin}x`]] },
  { title: "doubled", headers: [["dapr-api-token", admin + admin]] },
  {
    title: "sent twice",
    headers: [
      ["dapr-api-token", admin],
      ["dapr-api-token", admin],
    ],
  },
  { title: "other case", headers: [["dapr-api-token", changeCase(admin)]] },
  { title: "in the query", headers: [], query: `dapr-api-token=${admin}` },
  { title: "in a cookie", headers: [["cookie", `dapr-api-token=${admin}`]] },
  { title: "basic", headers: [["authorization", `Basic ${btoa(`:${admin}`)}`]] },
  { title: "wrong bearer", headers: [["authorization", `Bearer ${newToken()}`]] },
  {
    title: "wrong beside a right bearer",
    headers: [
      ["dapr-api-token", newToken()],
      ["authorization", `Bearer ${admin}`],
    ],
  },
  { title: "right as bearer", headers: [["authorization", `Bearer ${admin}`]], scope: "admin" },
  ...scopes.map((scope): Credential => {
    return { title: `scope ${scope}`, headers: [["dapr-api-token", tokens[scope]]], scope };
  }),
];

/** What must become of a request. */
export type Verdict = "let in" | "UNAUTHENTICATED" | "PERMISSION_DENIED";

/** Who may, as the names of RPCs and paths tell: not taken from the server's own table. */
export type Rule = "anybody" | "known" | readonly Scope[];

/** What must become of a request under a rule. */
export function expectedVerdict(rule: Rule, { scope }: Credential): Verdict {
  if (rule === "anybody") return "let in";
  if (scope === undefined) return "UNAUTHENTICATED";
  if (rule === "known" || scope === "admin" || rule.includes(scope)) return "let in";
  return "PERMISSION_DENIED";
}
