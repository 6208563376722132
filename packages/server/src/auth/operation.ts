// SPDX-License-Identifier: Apache-2.0

/** What a token may do, from looking on to everything. */
export const scopes = ["read", "operate", "work", "admin"] as const;

/** One of `scopes`. `admin` includes the other three; each of those stands alone. */
export type Scope = (typeof scopes)[number];

/** Who may do something: anybody, whoever is known, or who has one of these scopes. */
export type Access = "anybody" | "known" | readonly Scope[];

/**
 * The one table of everything that a request can ask for, and who may. Every RPC (`access.ts`) and
 * every REST route (`routes.ts`) names one of these.
 */
export const operations = {
  // Open, as in Dapr: probes of an orchestrator or load balancer can send no credentials, and learn
  // nothing but whether the server is ready.
  health: "anybody",
  // What the server is and speaks. Workers and tools of every kind ask for it before anything else.
  describe: "known",
  // A stream of calls, each of which names an operation of its own (`admission.ts`).
  call: "known",
  get: ["read"],
  list: ["read"],
  wait: ["read"],
  watch: ["read"],
  // A worker that has dropped an instance from its memory reads the history too.
  history: ["read", "work"],
  start: ["operate"],
  "raise-event": ["operate"],
  suspend: ["operate"],
  resume: ["operate"],
  terminate: ["operate"],
  purge: ["operate"],
  rerun: ["operate"],
  "start-batch": ["operate"],
  "cancel-batch": ["operate"],
  work: ["work"],
  "set-metadata": ["admin"],
  // Everything there is, payloads included.
  backup: ["admin"],
} as const satisfies Record<string, Access>;

/** The name of an operation. */
export type Operation = keyof typeof operations;

/** Who may do `operation`. */
export function accessOf(operation: Operation): Access {
  return operations[operation];
}

/** Whether an operation is on the server as a whole, not on workflows: `admin` alone may do those. */
export function isServerOperation(operation: Operation): boolean {
  const access = accessOf(operation);
  return typeof access !== "string" && access.every((scope) => scope === "admin");
}
