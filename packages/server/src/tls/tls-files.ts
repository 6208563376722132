// SPDX-License-Identifier: Apache-2.0

import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { EngineError } from "@pawl/engine";
import { readNamedFile, watchFiles } from "../config/watched-file.js";
import type { ServerLogger } from "../options.js";

/** What TLS needs, as PEM texts. */
export interface TlsMaterial {
  /** The server's certificate, and those between it and its authority. */
  readonly cert: string;
  readonly key: string;
  /** The authorities of callers' certificates; present: every caller must have one. */
  readonly ca?: string;
}

/** Where TLS's files are. */
export interface TlsFiles {
  /** Empty: no TLS. */
  readonly tlsCertFile: string;
  readonly tlsKeyFile: string;
  /** Empty: callers need no certificate. */
  readonly tlsClientCaFile: string;
  /** Milliseconds between two looks at the files. */
  readonly reloadIntervalMs: number;
  readonly log: ServerLogger;
}

/**
 * Reads the files of TLS, and again whenever one changes. Files that do not fit together, as between
 * the change of a certificate and of its key, change nothing.
 * @returns the material, or `undefined` when there is to be no TLS
 * @throws INVALID_ARGUMENT when the files are not good at the start
 */
export async function openTlsFiles(
  files: TlsFiles,
  changed: (material: TlsMaterial) => void,
): Promise<{ readonly material: TlsMaterial | undefined; stop(): void }> {
  requireBoth(files);
  const { tlsCertFile, tlsKeyFile, tlsClientCaFile, log } = files;
  if (tlsCertFile === "") {
    return { material: undefined, stop() {} };
  }
  const reload = async (): Promise<void> => {
    try {
      changed(await readMaterial(files));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error({ reason }, "TLS files not reloaded; the old ones stay");
    }
  };
  const watched = [tlsCertFile, tlsKeyFile, tlsClientCaFile].filter((file) => file !== "");
  const stop = await watchFiles(watched, reload, files.reloadIntervalMs);
  try {
    return { material: await readMaterial(files), stop };
  } catch (error) {
    stop();
    throw error;
  }
}

function requireBoth({ tlsCertFile, tlsKeyFile, tlsClientCaFile }: TlsFiles): void {
  if ((tlsCertFile === "") !== (tlsKeyFile === "")) {
    throw new EngineError("INVALID_ARGUMENT", "TLS needs both --tls-cert and --tls-key");
  }
  if (tlsClientCaFile !== "" && tlsCertFile === "") {
    throw new EngineError(
      "INVALID_ARGUMENT",
      "--tls-client-ca needs TLS: give --tls-cert and --tls-key too",
    );
  }
}

async function readMaterial(files: TlsFiles): Promise<TlsMaterial> {
  const { tlsCertFile, tlsKeyFile, tlsClientCaFile, log } = files;
  const cert = await readNamedFile(tlsCertFile, "--tls-cert");
  const key = await readNamedFile(tlsKeyFile, "--tls-key");
  const ca =
    tlsClientCaFile === "" ? undefined : await readNamedFile(tlsClientCaFile, "--tls-client-ca");
  const leaf = parseCertificate(cert, `--tls-cert: ${tlsCertFile}`);
  if (ca !== undefined) {
    parseCertificate(ca, `--tls-client-ca: ${tlsClientCaFile}`);
  }
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw unusable(`--tls-key: ${tlsKeyFile} is not the key of ${tlsCertFile}`, error);
  }
  const { validTo } = leaf;
  if (leaf.validToDate < new Date()) {
    log.warn({ file: tlsCertFile, validTo }, "the TLS certificate has expired");
  } else {
    log.info({ file: tlsCertFile, validTo }, "TLS files loaded");
  }
  return ca === undefined ? { cert, key } : { cert, key, ca };
}

function parseCertificate(pem: string, name: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw unusable(`${name} has no certificate in PEM form`, error);
  }
}

function unusable(what: string, cause: unknown): EngineError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new EngineError("INVALID_ARGUMENT", `${what}: ${reason}`, { cause });
}
