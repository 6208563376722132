// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { Health } from "@pawl/protocol";
import { HealthCheckResponse_ServingStatus as ServingStatus } from "@pawl/protocol/grpc";
import type { Components } from "../component/components.js";
import { namedComponent } from "../rpc/component-value.js";

/** What health is read from. */
interface Readiness {
  isReady(): boolean;
  /** Calls back at every change; returns how to stop. */
  onReadyChange(callback: () => void): () => void;
}

/**
 * gRPC health: the server as a whole (""), and each of its services by name, are one. A call whose
 * header names a component asks for that one alone.
 */
export function createHealthService(
  components: Components,
  serviceNames: ReadonlySet<string>,
): ServiceImpl<typeof Health> {
  const statusOf = (service: string, readiness: Readiness): ServingStatus => {
    if (service !== "" && !serviceNames.has(service)) {
      return ServingStatus.SERVICE_UNKNOWN;
    }
    return readiness.isReady() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  };
  return {
    check({ service }, context) {
      const status = statusOf(service, readinessOf(components, namedComponent(context)));
      if (status === ServingStatus.SERVICE_UNKNOWN) {
        throw new ConnectError(`unknown service ${service}`, Code.NotFound);
      }
      return { status };
    },
    async *watch({ service }, context) {
      const readiness = readinessOf(components, namedComponent(context));
      const read = () => statusOf(service, readiness);
      for await (const status of changes(readiness, read, context.signal)) yield { status };
    },
  };
}

function readinessOf(components: Components, name: string): Readiness {
  if (name !== "") return components.require(name).engine;
  return {
    isReady: () => components.unready().length === 0,
    onReadyChange: (callback) => components.onChange(callback),
  };
}

/** The status now and after each change of it, until the caller leaves. */
async function* changes(
  readiness: Readiness,
  read: () => ServingStatus,
  signal: AbortSignal,
): AsyncGenerator<ServingStatus> {
  let wake = (): void => {};
  const notify = (): void => wake();
  const stop = readiness.onReadyChange(notify);
  signal.addEventListener("abort", notify);
  try {
    let last: ServingStatus | undefined;
    while (!signal.aborted) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const status = read();
      if (status !== last) {
        last = status;
        yield status;
      }
      if (!signal.aborted) {
        await changed;
      }
    }
  } finally {
    stop();
    signal.removeEventListener("abort", notify);
  }
}
