// SPDX-License-Identifier: Apache-2.0

import { chown, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { findFreePort } from "@pawl/free-port";
import { findPostgres, findPostgresUser } from "../peer/postgres.js";
import type { RunningProgram, Toolbox, WorkflowSystem } from "./system.js";

/** DBOS in this process, on a PostgreSQL server of its own with the settings that it comes with. */
export async function open(
  toolbox: Toolbox,
  { dbosFolder = "" }: Readonly<Record<string, string>>,
): Promise<WorkflowSystem> {
  const port = await findFreePort();
  const server = await startPostgres(toolbox, port);
  const module: { open(databaseUrl: string): Promise<WorkflowSystem> } = await import(
    pathToFileURL(join(dbosFolder, "system.mjs")).href
  );
  const system = await module.open(`postgresql://bench@127.0.0.1:${port}/dbos`);
  return {
    ...system,
    pids: { server: server.pid },
    async close() {
      await system.close();
      await server.stop();
    },
  };
}

/** A durable server as it is by default: every commit synced. */
async function startPostgres(toolbox: Toolbox, port: number): Promise<RunningProgram> {
  const programs = await findPostgres();
  const user = await findPostgresUser();
  const settings = { quiet: true, ...(user === undefined ? {} : { user }) };
  const folder = await toolbox.makeTempFolder();
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const make = ["-D", data, "-U", "bench", "--auth=trust", "--encoding=UTF8", "--locale=C"];
  const ready = "Success.";
  const made = await toolbox.startProgram(join(programs, "initdb"), make, ready, settings);
  await made.stop();
  const listen = ["-h", "127.0.0.1", "-p", String(port), "-k", folder];
  const serve = ["-D", data, ...listen, "-c", "max_connections=200"];
  const server = await toolbox.startProgram(join(programs, "postgres"), serve, "", settings);
  const pidFile = join(data, "postmaster.pid");
  for (let tries = 0; tries < 300; tries += 1) {
    const text = await readFile(pidFile, "utf8").catch(() => "");
    if (/^ready/m.test(text)) return server;
    await sleep(100);
  }
  throw new Error("PostgreSQL did not get ready");
}
