// SPDX-License-Identifier: Apache-2.0

import { createClient as createRpcClient } from "@connectrpc/connect";
import { createClient } from "@pawl/client";
import { Health } from "@pawl/protocol";
import type { Bench } from "./bench.js";
import { runChain } from "./fixtures.js";
import { measure } from "./measure.js";
import type { Deployment } from "./process/deployment.js";

/** Calls that the driving process makes for a chain: start, and wait for its end. */
const callsPerChain = 2;

/** The limit of the wire: calls that do nothing, to the same server. */
export function createCallBench({ transport, readTotals }: Deployment): Bench {
  const health = createRpcClient(Health, transport);
  return {
    name: "call",
    title: "limit: no-op calls",
    unit: "call",
    measure(load) {
      const run = async (): Promise<void> => {
        await health.check({ service: "" });
      };
      return measure({ run, itemsPerRun: 1, runsAtOnce: load.atOnce, readTotals }, load);
    },
  };
}

/** Chains on a server and a worker, each in a process of its own, driven from this one. */
export function createGrpcBench({ transport, readTotals }: Deployment): Bench {
  const client = createClient({ transport });
  return {
    name: "grpc",
    title: "over gRPC",
    unit: "workflow",
    limit: { bench: "call", perItem: callsPerChain },
    measure(load) {
      const run = (): Promise<void> => runChain(client);
      return measure({ run, itemsPerRun: 1, runsAtOnce: load.atOnce, readTotals }, load);
    },
  };
}
