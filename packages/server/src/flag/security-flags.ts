// SPDX-License-Identifier: Apache-2.0

import { type Command, Option } from "commander";
import type { ServerOptions } from "../options.js";
import { parseSwitch } from "./switch.js";

/** The options of a server that flags about security set. Absent: not given. */
export type SecurityFlags = Pick<
  ServerOptions,
  | "apiToken"
  | "tokensFile"
  | "policyFile"
  | "tlsCertFile"
  | "tlsKeyFile"
  | "tlsClientCaFile"
  | "corsOrigins"
  | "allowedHosts"
  | "allowInsecureNetwork"
>;

/** Adds the flags about who may call, and how. */
export function addSecurityFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--tokens-file <file>",
        "tokens that callers must send, with names and scopes; see docs/security.md",
      ).env("PAWL_TOKENS_FILE"),
    )
    .addOption(
      new Option(
        "--policy-file <file>",
        "rules of who may do what on which workflows; see docs/security.md",
      ).env("PAWL_POLICY_FILE"),
    )
    .addOption(
      new Option("--tls-cert <file>", "certificate of this server, PEM; with it all is TLS").env(
        "PAWL_TLS_CERT",
      ),
    )
    .addOption(new Option("--tls-key <file>", "its private key, PEM").env("PAWL_TLS_KEY"))
    .addOption(
      new Option(
        "--tls-client-ca <file>",
        "authorities whose certificates callers must show, PEM",
      ).env("PAWL_TLS_CLIENT_CA"),
    )
    .addOption(
      new Option(
        "--cors-origin <origin>",
        "a page that may call from a browser; may be given several times",
      )
        .env("PAWL_CORS_ORIGINS")
        .argParser(addNames),
    )
    .addOption(
      new Option(
        "--allowed-host <name>",
        "a name by which a server without tokens may be called; may be given several times",
      )
        .env("PAWL_ALLOWED_HOSTS")
        .argParser(addNames),
    )
    .addOption(
      new Option(
        "--allow-insecure-network [boolean]",
        "listen beyond this machine though neither tokens nor TLS protect the server",
      )
        .env("PAWL_ALLOW_INSECURE_NETWORK")
        .preset("true")
        .argParser(parseSwitch),
    );
}

/** Reads them from a command that was parsed, and the token from `DAPR_API_TOKEN`. */
export function parseSecurityFlags(command: Command): SecurityFlags {
  const flags = command.opts<{
    tokensFile?: string;
    policyFile?: string;
    tlsCert?: string;
    tlsKey?: string;
    tlsClientCa?: string;
    corsOrigin?: string[];
    allowedHost?: string[];
    allowInsecureNetwork?: boolean;
  }>();
  const { tokensFile, policyFile, tlsCert, tlsKey, tlsClientCa, corsOrigin } = flags;
  const { allowedHost, allowInsecureNetwork } = flags;
  // No flag has it: that would show in the process list.
  const apiToken = process.env.DAPR_API_TOKEN;
  return {
    ...(apiToken === undefined ? {} : { apiToken }),
    ...(tokensFile === undefined ? {} : { tokensFile }),
    ...(policyFile === undefined ? {} : { policyFile }),
    ...(tlsCert === undefined ? {} : { tlsCertFile: tlsCert }),
    ...(tlsKey === undefined ? {} : { tlsKeyFile: tlsKey }),
    ...(tlsClientCa === undefined ? {} : { tlsClientCaFile: tlsClientCa }),
    ...(corsOrigin === undefined ? {} : { corsOrigins: corsOrigin }),
    ...(allowedHost === undefined ? {} : { allowedHosts: allowedHost }),
    ...(allowInsecureNetwork === undefined ? {} : { allowInsecureNetwork }),
  };
}

/** The environment has them in one text, with spaces or commas between. */
function addNames(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), ...text.split(/[\s,]+/).filter((name) => name !== "")];
}
