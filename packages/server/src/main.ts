// SPDX-License-Identifier: Apache-2.0

import { Command, Option } from "commander";
import { backup, restore } from "./command/backup.js";
import { explain } from "./command/explain.js";
import { verify } from "./command/verify.js";
import { workers } from "./command/workers.js";
import { builtInName } from "./component/name.js";
import { addServeFlags, parseServeFlags } from "./flags.js";
import { defaults } from "./options.js";
import { serve } from "./serve.js";
import { version } from "./version.js";

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
  .option("--rebuild-indexes", "first make the indexes of lists and queries anew")
  .action(verify);

addRemoteFlags(program.command("backup"), "admin", "all of them")
  .description("Back a running server up into a new folder, which opens like any data folder.")
  .argument("<dir>", "the folder to make")
  .action(backup);

addRemoteFlags(program.command("explain"), "read")
  .description("Ask a running server why an instance does not move.")
  .argument("<id>", "the instance")
  .option("--json", "for programs")
  .action(explain);

addRemoteFlags(program.command("workers"), "read")
  .description("Ask a running server which workers are connected.")
  .option("--json", "for programs")
  .action(workers);

program
  .command("restore")
  .description("Make a new data folder of a backup, after checking it.")
  .argument("<backup>", "the backup, or the data folder of a stopped server")
  .argument("<dir>", "the data folder to make")
  .option("--allow-damaged", "also when instances in the backup are damaged")
  .action(restore);

await program.parseAsync();

/** The flags of commands that ask a running server. */
function addRemoteFlags(command: Command, scope: string, otherwise = builtInName): Command {
  const { host, port } = defaults;
  const address = new Option("--address <url>", "the server").env("PAWL_ADDRESS");
  const token = new Option("--token <token>", `a token with the scope ${scope}`);
  const authorities = "the authorities of its certificate, PEM; default: the system's";
  return command
    .addOption(address.default(`http://${host}:${port}`))
    .addOption(token.env("DAPR_API_TOKEN").default(""))
    .addOption(new Option("--ca <file>", authorities).env("PAWL_CA"))
    .addOption(new Option("--cert <file>", "the certificate to show to it, PEM").env("PAWL_CERT"))
    .addOption(new Option("--key <file>", "the private key of --cert, PEM").env("PAWL_KEY"))
    .option("--component <name>", `the workflow component; default: ${otherwise}`);
}
