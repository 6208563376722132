// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { backup, restore } from "./command/backup.js";
import { verify } from "./command/verify.js";
import { addServeFlags, parseServeFlags } from "./flags.js";
import { defaults } from "./options.js";
import { serve } from "./serve.js";

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

program
  .command("backup")
  .description("Back a running server up into a new folder, which opens like any data folder.")
  .argument("<dir>", "the folder to make")
  .addOption(
    new Option("--address <url>", "the server")
      .env("PAWL_ADDRESS")
      .default(`http://${defaults.host}:${defaults.port}`),
  )
  .addOption(
    new Option("--token <token>", "a token with the scope admin").env("DAPR_API_TOKEN").default(""),
  )
  .action(backup);

program
  .command("restore")
  .description("Make a new data folder of a backup, after checking it.")
  .argument("<backup>", "the backup, or the data folder of a stopped server")
  .argument("<dir>", "the data folder to make")
  .option("--allow-damaged", "also when instances in the backup are damaged")
  .action(restore);

await program.parseAsync();
