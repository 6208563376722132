// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { Command } from "commander";
import { addServeFlags, parseServeFlags } from "./flags.js";
import { serve } from "./serve.js";
import { verify } from "./verify.js";

const { version } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
) as { version: string };

const program = new Command("pawl")
  .description("A durable-workflow server that speaks the Dapr Workflow API.")
  .version(version);

const serveCommand = addServeFlags(program.command("serve"))
  .description("Run a server in the foreground.")
  .action(() => serve(parseServeFlags(serveCommand)));

program
  .command("verify")
  .description("Read a data folder whole and say what is damaged. The server must be stopped.")
  .argument("<dir>", "the data folder")
  .action(verify);

await program.parseAsync();
