// SPDX-License-Identifier: Apache-2.0

// `pawl serve` with each flag about who may call, and how.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Client, createClient, createWorker, isPawlError, workflow } from "@pawl/client";
import { generate } from "selfsigned";
import { describe, expect, onTestFinished, test } from "vitest";
import { findPlace, makeFolder, placeFlags, runToEnd, useServer } from "./server-process.js";

const double = workflow("double", (_ctx, input: number) => input * 2);
const silent = { info() {}, warn() {}, error() {} };

/** A client that is closed after the test. */
function use(client: Client): Client {
  onTestFinished(() => client.close());
  return client;
}

async function codeOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => "no error",
    (error: unknown) => (isPawlError(error) ? error.code : String(error)),
  );
}

/** A certificate that signed itself, good for the loopback address, in files and as text. */
async function makeCertificate(): Promise<{ files: [string, string]; cert: string; key: string }> {
  const folder = await makeFolder();
  const made = await generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
    ],
  });
  const files: [string, string] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  await writeFile(files[0], made.cert);
  await writeFile(files[1], made.private);
  return { files, cert: made.cert, key: made.private };
}

describe("pawl serve", () => {
  test("takes the token of DAPR_API_TOKEN from a client, and nothing from others", async () => {
    const server = await useServer("server", undefined, [], { DAPR_API_TOKEN: "my-secret" });
    const right = use(createClient({ baseUrl: server.url, token: async () => "my-secret" }));
    const wrong = use(createClient({ baseUrl: server.url, token: "other" }));
    const none = use(createClient({ baseUrl: server.url }));

    expect(await right.get("a")).toBeUndefined();
    expect(await codeOf(wrong.get("a"))).toBe("UNAUTHENTICATED");
    expect(await codeOf(none.get("a"))).toBe("UNAUTHENTICATED");
    expect((await fetch(`${server.url}/v1.0/healthz`)).status).toBe(204);
  });

  test("--tokens-file: a worker's token works, an operator's starts, neither does the other's", async () => {
    const tokensFile = join(await makeFolder(), "tokens.json");
    const [operate, work] = ["operate-operate-1", "work-work-work-1"];
    const tokens = [
      { name: "ops", token: operate, scopes: ["operate", "read"] },
      { name: "worker", token: work, scopes: ["work"] },
    ];
    await writeFile(tokensFile, JSON.stringify({ tokens }));
    const { url: baseUrl } = await useServer("server", undefined, ["--tokens-file", tokensFile]);
    const operator = use(createClient({ baseUrl, token: operate }));
    const intruder = use(createClient({ baseUrl, token: work }));
    const worker = createWorker({ baseUrl, token: work, workflows: [double], logger: silent });
    await worker.start();
    onTestFinished(() => worker.stop());

    expect(await codeOf(intruder.start(double, 2))).toBe("PERMISSION_DENIED");
    expect(await (await operator.start(double, 21)).result()).toBe(42);
  });

  test("--tls-cert, --tls-key, --tls-client-ca: client and worker with a certificate", async () => {
    const { files, cert, key } = await makeCertificate();
    const flags = ["--tls-cert", files[0], "--tls-key", files[1], "--tls-client-ca", files[0]];
    const { url: baseUrl } = await useServer("server", undefined, flags);
    const tls = { ca: cert, cert, key };
    const client = use(createClient({ baseUrl, tls }));
    const worker = createWorker({ client, workflows: [double], logger: silent });
    await worker.start();
    onTestFinished(() => worker.stop());

    expect(await (await client.start(double, 4)).result()).toBe(8);
    const bare = use(createClient({ baseUrl, tls: { ca: cert } }));
    expect(await codeOf(bare.get("a"))).toBe("UNREACHABLE");
    const distrustful = use(createClient({ baseUrl, tls: { cert, key } }));
    expect(await codeOf(distrustful.get("a"))).toBe("UNREACHABLE");
    const misled = use(createClient({ baseUrl, tls: { ...tls, serverName: "other.example" } }));
    expect(await codeOf(misled.get("a"))).toBe("UNREACHABLE");
  });

  test("--policy-file, --cors-origin and limits: each does what it says", async () => {
    const policyFile = join(await makeFolder(), "policy.yaml");
    const rule = { callers: ["anonymous"], operations: ["start", "read"], workflows: ["double"] };
    await writeFile(policyFile, JSON.stringify({ rules: [rule] }));
    const page = "https://app.example.com";
    const flags = ["--policy-file", policyFile, "--cors-origin", page, "--max-headers", "20"];
    const { url: baseUrl } = await useServer("server", undefined, flags);
    const client = use(createClient({ baseUrl }));

    const { instanceId } = await client.start(double, 1);
    expect(await client.get(instanceId)).toBeDefined();
    expect(await codeOf(client.terminate(instanceId))).toBe("INSTANCE_NOT_FOUND");
    expect(await codeOf(client.start("other"))).toBe("WORKFLOW_NOT_FOUND");
    const health = (headers: Record<string, string>) =>
      fetch(`${baseUrl}/v1.0/healthz`, { headers });
    const answer = await health({ origin: page });
    expect(answer.headers.get("access-control-allow-origin")).toBe(page);
    const many = Array.from({ length: 30 }, (_, at) => [`x-${at}`, "1"]);
    expect((await health(Object.fromEntries(many))).status).toBe(431);
  });

  test("does not listen beyond this machine without tokens or TLS", async () => {
    const place = await findPlace();
    const { code, stderr } = await runToEnd("server", [...placeFlags(place), "--host", "0.0.0.0"]);

    expect(code).toBe(1);
    expect(stderr).toMatch(/^pawl: 0\.0\.0\.0 can be reached .*--tokens-file.*--tls-cert.*\n$/);
  });

  test.each([
    [["--tokens-file", "/nowhere/tokens.yaml"], "--tokens-file: cannot read /nowhere/tokens.yaml"],
    [["--policy-file", "/nowhere/p.yaml"], "--policy-file: cannot read /nowhere/p.yaml"],
    [["--cors-origin", "*"], "is not an origin like"],
    [["--max-headers", "1"], "It must be a number from 16 to 10000"],
    [["--tls-cert", "/nowhere/cert.pem"], "TLS needs both --tls-cert and --tls-key"],
    [["--tls-client-ca", "/nowhere/ca.pem"], "--tls-client-ca needs TLS"],
  ])("%j is refused in one line", async (flags, message) => {
    const place = await findPlace();
    const { code, stderr } = await runToEnd("server", [...placeFlags(place), ...flags]);
    expect(code).toBe(1);
    expect(stderr.split("\n")).toEqual([expect.stringContaining(message), ""]);
  });

  test("--allow-insecure-network listens all the same, and says so in the log", async () => {
    const place = await findPlace();
    const flags = ["--host", "0.0.0.0", "--allow-insecure-network"];
    const server = await useServer("server", place, flags);
    expect((await fetch(`${server.url}/v1.0/healthz`)).status).toBe(204);
    const { stderr } = await server.stop();
    expect(stderr).toContain("anybody who reaches the port may do everything");
  });
});
