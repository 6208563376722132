// SPDX-License-Identifier: Apache-2.0

// The two ports of the engine: what callers and what workers may ask of it. Types alone. They stand
// here so that those who serve them (the engine) and those who use them (the client, near or over
// the network) speak of the same shapes without knowing each other.

export type * from "./batch.js";
export type * from "./condition.js";
export type * from "./connected-worker.js";
export type * from "./explanation.js";
export type * from "./management.js";
export type * from "./query.js";
export type * from "./worker.js";
