// SPDX-License-Identifier: Apache-2.0

// For those who write a store: what it has to do, as tests.
export { storeSuite, type SuiteRunner } from "./store.suite.js";
export type {
  Entry,
  KeyRange,
  OpenStore,
  Store,
  StoreReader,
  StoreSnapshot,
  StoreWrite,
} from "../store/store.js";
export { openEngineOver } from "./open-engine-over.js";

// A store that fails on demand.
export { type FaultKind, FaultStore, type Gate, type StoreCall } from "./fault-store.js";

// What an engine keeps in its store, and whether that is legal.
export { type Expectation, problemsOf } from "./check-store.js";
export {
  isFirstChunk,
  readStoredEvents,
  readStoredKey,
  readStoredRow,
  type StoredKey,
  type StoredRow,
} from "./stored.js";
