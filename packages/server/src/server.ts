// SPDX-License-Identifier: Apache-2.0

import { Dapr, TaskHubSidecarService } from "@pawl/protocol";
import { openEndedPaths } from "./auth/access.js";
import { openSecurity, type Security } from "./auth/security.js";
import { type OpenedComponents, openComponents } from "./component/open-components.js";
import { OwnPorts } from "./component/own-ports.js";
import { plainRules, StrictRules } from "./dapr/call-rules.js";
import { DaprWorkflows } from "./dapr/workflows.js";
import { checkHeaders, checkHeadersAsDapr } from "./limit/header-limit.js";
import { Listener } from "./listen.js";
import { ServerMetadata } from "./metadata.js";
import {
  type ResolvedServerOptions,
  resolveOptions,
  type ServedEngine,
  type ServerOptions,
} from "./options.js";
import { RestServer } from "./rest/handler.js";
import { RestRouter } from "./rest/router.js";
import { type RouteTargets, registerServices, restRoutes } from "./routes.js";
import { RpcHandler } from "./rpc/handler.js";
import { openOtlpExport } from "./tracing/otlp.js";

/** A running server. */
export interface PawlServer {
  /** Where it listens, for instance "http://127.0.0.1:3500". */
  readonly url: string;
  /** The port of `url`. */
  readonly port: number;
  /** The second port; 0 when there is none. */
  readonly grpcPort: number;
  /** The engine of the built-in component. */
  readonly engine: ServedEngine;
  /**
   * Stops: takes no more calls, gives open ones `shutdownGraceMs`, closes the engine when the server
   * opened it. May be called twice.
   */
  close(): Promise<void>;
}

/**
 * Starts a server; resolves when it answers.
 * Rejects with STORE_LOCKED, STORE_DAMAGED, STORE_TOO_NEW or INVALID_ARGUMENT when the store cannot
 * be opened, and with Node's error (EADDRINUSE, EACCES, …) when a port cannot be had.
 */
export async function createServer(options: ServerOptions = {}): Promise<PawlServer> {
  const resolved = resolveOptions(options);
  const security = await openSecurity(resolved);
  let opened: OpenedComponents | undefined;
  try {
    opened = await openTracedComponents(resolved, security);
    return await serveComponents(opened, security, resolved);
  } catch (error) {
    security.close();
    await opened?.close();
    throw error;
  }
}

/** Spans are made only where there is somebody to send them to. */
async function openTracedComponents(
  options: ResolvedServerOptions,
  { protect }: Security,
): Promise<OpenedComponents> {
  const { otlpEndpoint: endpoint, traceRatio: sampleRatio, appId: serviceName, logger } = options;
  if (endpoint === "") return openComponents(options, protect);
  const otlp = await openOtlpExport({ endpoint, sampleRatio, serviceName, logger });
  try {
    const opened = await openComponents({ ...options, tracing: otlp.tracing }, protect);
    const close = async (): Promise<void> => {
      await opened.close();
      await otlp.close();
    };
    return { ...opened, close };
  } catch (error) {
    await otlp.close();
    throw error;
  }
}

async function serveComponents(
  { components, builtIn, close: closeComponents }: OpenedComponents,
  security: Security,
  options: ResolvedServerOptions,
): Promise<PawlServer> {
  const { host, appId, strictDapr, logger: log } = options;
  const { bodyBytes } = options.listen;
  const rules = strictDapr ? new StrictRules(options.clock) : plainRules;
  const workflows = new DaprWorkflows(components, strictDapr, rules);
  const metadata = new ServerMetadata(appId, components);
  const targets: RouteTargets = {
    ...{ components, workflows, metadata },
    ...{ appId, strictDapr, rules, log },
  };
  const router = new RestRouter(restRoutes(targets));
  // Dapr's own limit lets one byte more through.
  const restServer = new RestServer(router, log, bodyBytes + (strictDapr ? 1 : 0));
  const rpc = new RpcHandler(
    (router, interceptors) =>
      registerServices(router, targets, interceptors, security.openAdmission),
    restServer.handle,
    log,
    {
      readMaxBytes: bodyBytes,
      // Dapr's errors have no details.
      hasDetail: (service) => !(strictDapr && daprServices.has(service.typeName)),
    },
  );
  const gate = security.createGate(router);
  const ownPorts = new OwnPorts();
  const listener = new Listener(
    ownPorts.guard(gate.guard(rpc.handle)),
    options.listen,
    ownPorts.guardStreams(gate.guardStreams(rpc.streams)),
    openEndedPaths,
    strictDapr ? checkHeadersAsDapr : checkHeaders,
  );
  security.useTls(listener);
  const { port, grpcPort } = await listenOnPorts(listener, options, () =>
    ownPorts.open(components, listener, host, log),
  );
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const ended = listener.close(options.shutdownGraceMs);
    rpc.stop();
    rules.stop();
    restServer.stop();
    ownPorts.close();
    security.close();
    await ended;
    await closeComponents();
  };
  return {
    url: `${security.hasTls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    grpcPort,
    engine: builtIn,
    close() {
      closed ??= close();
      return closed;
    },
  };
}

const daprServices: ReadonlySet<string> = new Set([Dapr.typeName, TaskHubSidecarService.typeName]);

async function listenOnPorts(
  listener: Listener,
  options: ResolvedServerOptions,
  openOthers: () => Promise<void>,
): Promise<{ port: number; grpcPort: number }> {
  const { host } = options;
  try {
    const port = await listener.listen(host, options.port);
    const second = options.grpcPort !== 0 && options.grpcPort !== port;
    const grpcPort = second ? await listener.listen(host, options.grpcPort) : 0;
    await openOthers();
    return { port, grpcPort };
  } catch (error) {
    await listener.close(0);
    throw error;
  }
}
