// SPDX-License-Identifier: Apache-2.0

import { Command, CommanderError } from "commander";
import { afterEach, describe, expect, test, vi } from "vitest";
import { addServeFlags, parseServeFlags, type ServeFlags } from "./flags.js";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

function parse(...flags: string[]): ServeFlags {
  const command = addServeFlags(new Command("serve")).exitOverride();
  command.parse(flags, { from: "user" });
  return parseServeFlags(command);
}

/** What is written to stderr for flags that are wrong. */
function complaintOf(...flags: string[]): string {
  let written = "";
  const command = addServeFlags(new Command("serve")).exitOverride();
  command.configureOutput({
    writeErr: (text) => {
      written += text;
    },
  });
  expect(() => command.parse(flags, { from: "user" })).toThrow(CommanderError);
  return written;
}

describe("serve flags", () => {
  test("have the defaults of the server", () => {
    expect(parse()).toEqual({
      defaultComponentsPath: "components",
      host: "127.0.0.1",
      port: 3500,
      grpcPort: 50001,
      dataDir: ".pawl",
      store: "level",
      logLevel: "info",
    });
  });

  test("are read from the command line", () => {
    const flags = ["--host=::1", "--port=1", "--grpc-port=0", "--data=d", "--store=memory"];
    expect(parse(...flags, "--log-level=debug")).toEqual({
      defaultComponentsPath: "components",
      host: "::1",
      port: 1,
      grpcPort: 0,
      dataDir: "d",
      store: "memory",
      logLevel: "debug",
    });
  });

  test("are read from the environment", () => {
    vi.stubEnv("PAWL_HOST", "0.0.0.0");
    vi.stubEnv("PAWL_PORT", "7");
    vi.stubEnv("PAWL_GRPC_PORT", "8");
    vi.stubEnv("PAWL_DATA", "e");
    vi.stubEnv("PAWL_STORE", "memory");
    vi.stubEnv("PAWL_LOG_LEVEL", "warn");
    vi.stubEnv("PAWL_TOKENS_FILE", "t.yaml");
    vi.stubEnv("DAPR_API_TOKEN", "secret");
    vi.stubEnv("PAWL_POLICY_FILE", "p.yaml");
    vi.stubEnv("PAWL_TLS_CERT", "c.pem");
    vi.stubEnv("PAWL_TLS_KEY", "k.pem");
    vi.stubEnv("PAWL_TLS_CLIENT_CA", "a.pem");
    vi.stubEnv("PAWL_CORS_ORIGINS", "https://a.com, http://b.com:1");
    vi.stubEnv("PAWL_ALLOWED_HOSTS", "pawl,pawl.lan");
    vi.stubEnv("PAWL_ALLOW_INSECURE_NETWORK", "1");
    vi.stubEnv("PAWL_MAX_CONNECTIONS", "5");
    expect(parse()).toEqual({
      defaultComponentsPath: "components",
      host: "0.0.0.0",
      port: 7,
      grpcPort: 8,
      dataDir: "e",
      store: "memory",
      logLevel: "warn",
      tokensFile: "t.yaml",
      apiToken: "secret",
      policyFile: "p.yaml",
      tlsCertFile: "c.pem",
      tlsKeyFile: "k.pem",
      tlsClientCaFile: "a.pem",
      corsOrigins: ["https://a.com", "http://b.com:1"],
      allowedHosts: ["pawl", "pawl.lan"],
      allowInsecureNetwork: true,
      listen: { connections: 5 },
    });
  });

  test("name several pages when they are given several times", () => {
    const { corsOrigins } = parse("--cors-origin=https://a.com", "--cors-origin", "https://b.com");
    expect(corsOrigins).toEqual(["https://a.com", "https://b.com"]);
  });

  test("name folders of components, Configuration files and the app id", () => {
    const flags = ["--components-path=a", "--components-path=b", "--config=c", "--app-id=shop"];
    const named = { componentsPaths: ["a", "b"], configFiles: ["c"], appId: "shop" };
    expect(parse(...flags)).toMatchObject(named);
    vi.stubEnv("PAWL_COMPONENTS_PATH", "a,b");
    vi.stubEnv("PAWL_CONFIG", "c");
    vi.stubEnv("PAWL_APP_ID", "shop");
    expect(parse()).toMatchObject(named);
  });

  test("name the folder components, if it is there, unless they name others", () => {
    const named = parse("--components-path=a");
    expect(parse()).toMatchObject({ defaultComponentsPath: "components" });
    expect(parse()).not.toHaveProperty("componentsPaths");
    expect(named).not.toHaveProperty("defaultComponentsPath");
  });

  test("win over the environment", () => {
    vi.stubEnv("PAWL_PORT", "7");
    expect(parse("--port", "9").port).toBe(9);
  });

  test.each([
    ["--port", "abc"],
    ["--port", "65536"],
    ["--port", "-1"],
    ["--grpc-port", "1.5"],
    ["--store", "redis"],
    ["--log-level", "loud"],
    ["--prot", "1"],
    ["--port"],
  ])("%s %s is refused with one line", (...flags) => {
    const complaint = complaintOf(...flags.filter((flag) => flag !== undefined));
    expect(complaint).toMatch(/^error: .+\n$/);
  });
});
