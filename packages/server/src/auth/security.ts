// SPDX-License-Identifier: Apache-2.0

import { openReloaded, type Reloaded } from "../config/reloaded-file.js";
import { readNamedFile } from "../config/watched-file.js";
import type { Listener } from "../listen.js";
import type { ResolvedServerOptions, ServedEngine } from "../options.js";
import { splitUrl } from "../rest/handler.js";
import type { RestRouter } from "../rest/router.js";
import { readTlsFiles, type TlsMaterial, tlsFileNames } from "../tls/tls-files.js";
import { rpcOperations } from "./access.js";
import { type AdmitCall, createAdmission } from "./admission.js";
import { Cors } from "./cors.js";
import { Credentials } from "./credentials.js";
import { requireSafeExposure } from "./exposure.js";
import { Gate } from "./gate.js";
import { KnownHosts } from "./known-hosts.js";
import type { Operation } from "./operation.js";
import { guardEngine } from "./policy/guarded-engine.js";
import { Policy } from "./policy/policy.js";
import { readTokens } from "./token-source.js";

/** Everything of a server's that changes with its files: taken up one after the other, given up together. */
class Closing {
  readonly #stops: (() => void)[] = [];

  add<T extends { stop(): void }>(opened: T): T {
    this.#stops.push(() => opened.stop());
    return opened;
  }

  readonly close = (): void => {
    for (const stop of this.#stops) {
      stop();
    }
  };
}

/** All that stands between the network and the engine. */
export interface Security {
  readonly hasTls: boolean;
  /** The engine of a component as callers may see it. */
  protect(engine: ServedEngine, component: string): ServedEngine;
  /** What the calls of a stream pass; see `createAdmission`. */
  openAdmission(): AdmitCall;
  /** What every request passes on its way to these routes. */
  createGate(router: RestRouter): Gate;
  /** Puts TLS on a listener, if there is to be any, and keeps its certificate up to date. */
  useTls(listener: Listener): void;
  /** Stops looking after files. */
  close(): void;
}

/**
 * Reads tokens, certificates and the policy, and follows their changes until it is closed.
 * @throws INVALID_ARGUMENT when a file is not good, or the server would be open to the network
 */
export async function openSecurity(options: ResolvedServerOptions): Promise<Security> {
  const closing = new Closing();
  try {
    return await open(options, closing);
  } catch (error) {
    closing.close();
    throw error;
  }
}

async function open(options: ResolvedServerOptions, closing: Closing): Promise<Security> {
  const { tokensFile, strictDapr, logger: log } = options;
  const listeners = new Set<Listener>();
  const gates = new Set<Gate>();
  let credentials: Credentials | undefined;
  const tls = closing.add(await openTlsFiles(options, listeners));
  const tokens = closing.add(
    await openReloaded({
      reloadIntervalMs: options.reloadIntervalMs,
      log,
      what: "tokens",
      files: tokensFile === "" ? [] : [tokensFile],
      read: () => readTokens(options),
      changed(replaced) {
        // Before there are any, they will be made of these.
        credentials?.replaceTokens(replaced);
        for (const gate of gates) {
          gate.endRevoked();
        }
      },
    }),
  );
  const policy = closing.add(await openPolicy(options));
  const cors = new Cors(options.corsOrigins);
  const knownHosts = new KnownHosts(options);
  const callers = new Credentials(tokens.value, tls.value?.ca !== undefined);
  credentials = callers;
  const hasTls = tls.value !== undefined;
  const weakness = requireSafeExposure({ ...options, hasTls, asksWho: callers.required });
  if (weakness !== undefined) {
    log.warn({ host: options.host }, weakness);
  }
  // Over TLS a browser holds the name that it called against the certificate.
  const hosts = hasTls ? undefined : knownHosts;
  return {
    hasTls,
    protect: (engine, component) => {
      const { read } = policy;
      return read === undefined ? engine : guardEngine(engine, componentPolicy(read, component));
    },
    openAdmission: () => createAdmission(policy.read),
    createGate(router) {
      const operationOf = operationsOf(router);
      const shared = { cors, hosts, credentials: callers, strictDapr, log };
      const gate = new Gate({ ...shared, operationOf, policy: policy.read });
      gates.add(gate);
      return gate;
    },
    useTls(listener) {
      const { value: material } = tls;
      if (material !== undefined) {
        listener.useTls(material);
        listeners.add(listener);
      }
    },
    close: closing.close,
  };
}

/** The TLS files, read again when they change; the listeners then use what is in them. */
function openTlsFiles(
  options: ResolvedServerOptions,
  listeners: ReadonlySet<Listener>,
): Promise<Reloaded<TlsMaterial | undefined>> {
  return openReloaded({
    reloadIntervalMs: options.reloadIntervalMs,
    log: options.logger,
    what: "TLS files",
    files: tlsFileNames(options),
    read: () => readTlsFiles(options, options.logger),
    changed(material) {
      if (material !== undefined) {
        for (const listener of listeners) {
          listener.useTls(material);
        }
      }
    },
  });
}

/** What the policy says of one component; made anew when the policy was. */
function componentPolicy(read: () => Policy, component: string): () => Policy {
  let whole: Policy | undefined;
  let own: Policy | undefined;
  return () => {
    const now = read();
    if (own === undefined || whole !== now) {
      whole = now;
      own = now.forComponent(component);
    }
    return own;
  };
}

/** The policy as it is whenever it is read; no way to read it: there is none. */
async function openPolicy(
  options: ResolvedServerOptions,
): Promise<{ readonly read?: () => Policy; stop(): void }> {
  const { policyFile: file, reloadIntervalMs, logger: log } = options;
  if (file === "") {
    return { stop() {} };
  }
  const opened = await openReloaded({
    what: "policy",
    files: [file],
    read: async () => Policy.parse(file, await readNamedFile(file, "--policy-file")),
    changed() {},
    reloadIntervalMs,
    log,
  });
  return { read: () => opened.value, stop: () => opened.stop() };
}

/** Finds the operation of a request as the handlers will find its handler. */
function operationsOf(router: RestRouter): (method: string, url: string) => Operation | undefined {
  return (method, url) =>
    rpcOperations.get(url.split("?", 1)[0] ?? "") ??
    router.find(method, splitUrl(url).path)?.route.operation;
}
