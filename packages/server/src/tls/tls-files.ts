// SPDX-License-Identifier: Apache-2.0

import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { EngineError } from "@pawl/engine";
import { readNamedFile } from "../config/watched-file.js";
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
}

/** The files that are given. */
export function tlsFileNames({ tlsCertFile, tlsKeyFile, tlsClientCaFile }: TlsFiles): string[] {
  return [tlsCertFile, tlsKeyFile, tlsClientCaFile].filter((file) => file !== "");
}

/**
 * Reads the files of TLS; `undefined` when there is to be none.
 * @throws INVALID_ARGUMENT when one is not good, or they do not fit together
 */
export async function readTlsFiles(
  files: TlsFiles,
  log: ServerLogger,
): Promise<TlsMaterial | undefined> {
  requireBoth(files);
  return files.tlsCertFile === "" ? undefined : readMaterial(files, log);
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

async function readMaterial(files: TlsFiles, log: ServerLogger): Promise<TlsMaterial> {
  const { tlsCertFile, tlsKeyFile, tlsClientCaFile } = files;
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
