// SPDX-License-Identifier: Apache-2.0

import { describe, test } from "vitest";
import { storeSuite } from "../testing/store.suite.js";
import { openMemoryStore } from "./memory-store.js";

describe("memory store", () => storeSuite(openMemoryStore, { describe, test }));
