// SPDX-License-Identifier: Apache-2.0

import { resolve } from "node:path";
import { addServeFlags, parseServeFlags, type ServeFlags, serve } from "@pawl/server";
import { Command } from "commander";
import { createOrderWorker } from "./order-worker.js";

const program = addServeFlags(new Command("npm start --"))
  .description("Run a server with a sample worker.")
  .option("--no-sample", "only the server")
  .action(() => run(parseServeFlags(program), program.opts<{ sample: boolean }>().sample));

await program.parseAsync();

/**
 * Runs the server, and in the same process the worker, which connects like any other, unless it would
 * need a token or certificate of its own.
 */
async function run(flags: ServeFlags, sample: boolean): Promise<void> {
  await serve(flags, {
    async onStart({ url, engine }) {
      const isOpen = flags.tokensFile === undefined && flags.tlsCertFile === undefined;
      const where = isOpen ? { baseUrl: localUrl(url) } : { engine };
      const worker = sample ? createOrderWorker(where) : undefined;
      await worker?.start();
      process.stdout.write(introduction(flags, localUrl(url), sample));
      return async () => {
        await worker?.stop();
      };
    },
  });
}

/** An address of every interface is one to listen on; here is one to call. */
function localUrl(url: string): string {
  const { hostname, port } = new URL(url);
  if (hostname === "0.0.0.0") return `http://127.0.0.1:${port}`;
  return hostname === "[::]" ? `http://[::1]:${port}` : url;
}

function introduction(flags: ServeFlags, url: string, sample: boolean): string {
  const data = flags.store === "memory" ? "in memory only" : `in ${resolve(flags.dataDir)}`;
  const lines = [`Pawl is at ${url} and keeps its workflows ${data}.`];
  if (sample) {
    const id = `order-${Date.now().toString(36)}`;
    const workflows = `${url}/v1.0/workflows/dapr`;
    const order = JSON.stringify({ item: "book", quantity: 1, amountCents: 1200 });
    const proofs = proofsFor(flags);
    const curl = ["curl", ...proofs].join(" ");
    lines.push(
      "",
      `Start an order${proofs.length > 0 ? ", with what is yours for the words in capitals" : ""}:`,
      `  ${curl} -X POST '${workflows}/order/start?instanceID=${id}' -d '${order}'`,
      "Ship it, and look at it when it has ended:",
      `  ${curl} -X POST '${workflows}/${id}/raiseEvent/shipped' -d '{"carrier":"post"}' ` +
        `&& ${curl} '${workflows}/${id}/wait'`,
    );
  }
  return `${lines.join("\n")}\n\n`;
}

/** What curl needs to trust the server and be let in. Never a token itself: what is printed is logged. */
function proofsFor({ apiToken, tokensFile, tlsCertFile, tlsClientCaFile }: ServeFlags): string[] {
  return [
    ...(apiToken || tokensFile ? ["-H 'dapr-api-token: TOKEN'"] : []),
    ...(tlsCertFile ? ["--cacert AUTHORITY.pem"] : []),
    ...(tlsClientCaFile ? ["--cert CLIENT.pem --key CLIENT.key"] : []),
  ];
}
