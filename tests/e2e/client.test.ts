// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { createClient } from "@pawl/client";
import { expect, onTestFinished, test } from "vitest";
import { useServer } from "./server-process.js";

const execute = promisify(execFile);

const ids = Array.from({ length: 300 }, (_, index) => `many-${index}`);

test("many calls of one client at once each have their own answer", async () => {
  const server = await useServer("server");
  const client = createClient({ baseUrl: server.url });
  onTestFinished(() => client.close());

  for (const round of [0, 1]) {
    const started = await Promise.all(
      ids.map((id) => client.start("order", id, { instanceId: `${id}-${round}` })),
    );
    expect(started.map(({ instanceId }) => instanceId)).toEqual(ids.map((id) => `${id}-${round}`));
  }
  const inputs = await Promise.all(ids.map(async (id) => (await client.get(`${id}-1`))?.input));
  const absent = await Promise.all(ids.map((id) => client.get(`nobody-${id}`)));
  const again = ids.map((id) => client.start("order", id, { instanceId: `${id}-1` }));
  const refused = await Promise.all(again.map((start) => start.catch(({ code }) => code)));

  expect(inputs).toEqual(ids);
  expect(new Set(absent)).toEqual(new Set([undefined]));
  expect(new Set(refused)).toEqual(new Set(["INSTANCE_EXISTS"]));
});

test("a client that waits learns that the server stops, and why", async () => {
  const server = await useServer("server");
  const client = createClient({ baseUrl: server.url });
  onTestFinished(() => client.close());
  await Promise.all(ids.map((id) => client.get(id)));

  const waits = ids.map((id) => client.waitForCompletion(id).catch(({ code }) => code));
  await client.get("one behind the other");
  const ending = await server.stop();

  expect([ending.code, ending.signal], ending.stderr).toEqual([0, null]);
  expect(new Set(await Promise.all(waits))).toEqual(new Set(["SHUTTING_DOWN"]));
});

test("a program ends when its calls have, though it has not closed its client", async () => {
  const server = await useServer("server");
  const program = `
    import { createClient } from "@pawl/client";
    const client = createClient({ baseUrl: ${JSON.stringify(server.url)} });
    for (let round = 0; round < 30; round += 1) await client.get("nobody");
    await Promise.all(Array.from({ length: 30 }, () => client.get("nobody")));
    process.stdout.write("asked");
  `;

  const { stdout } = await execute(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: import.meta.dirname,
    timeout: 60_000,
  });

  expect(stdout).toBe("asked");
});
