// SPDX-License-Identifier: Apache-2.0

// Runs the code blocks of the documents, from top to bottom, against the server that `npm start`
// starts, and compares what they print with what the documents show.

import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CodeBlock, matchesOutput, parseDocument } from "./document.js";
import { makeFolder, repository, ServerProcess } from "./server-process.js";
import { findTool } from "./tool.js";

const execute = promisify(execFile);
/** Inside this package, so that the documents' programs find the workspace's packages. */
const scratch = join(import.meta.dirname, ".cache", "docs");

/** A language whose blocks are run: the tools that a block needs, and the command for it. */
interface Language {
  isRunnable(block: CodeBlock): boolean;
  command(text: string, name: string, head: string): [string, string[]];
}

const languages: Readonly<Record<string, Language>> = {
  bash: {
    isRunnable: ({ text }) =>
      (!text.includes("curl ") || findTool("CURL") !== undefined) &&
      (!text.includes("grpcurl ") || findTool("GRPCURL") !== undefined),
    command: (text) => ["bash", ["-euo", "pipefail", "-c", text]],
  },
  ts: {
    isRunnable: () => true,
    command: (text, name, head) => [process.execPath, [saveProgram(head + text, `${name}.ts`)]],
  },
  python: {
    isRunnable: () => findTool("DAPR_PYTHON") !== undefined,
    command: (text, name) => [findTool("DAPR_PYTHON") ?? "", [saveProgram(text, `${name}.py`)]],
  },
};

function saveProgram(text: string, file: string): string {
  mkdirSync(scratch, { recursive: true });
  const path = join(scratch, file);
  writeFileSync(path, text);
  return path;
}

/** The environment of a block: `pawl`, its Node and grpcurl on PATH, and Dapr's SDKs sent to the right ports. */
function blockEnvironment(server: ServerProcess): NodeJS.ProcessEnv {
  const grpcurl = findTool("GRPCURL");
  const commands = [join(import.meta.dirname, "node_modules", ".bin"), dirname(process.execPath)];
  const tools = grpcurl === undefined ? [] : [dirname(grpcurl)];
  const folders = [...commands, ...tools, process.env.PATH];
  return {
    ...process.env,
    PATH: folders.join(delimiter),
    DAPR_HTTP_PORT: String(server.place.port),
    DAPR_GRPC_PORT: String(server.place.grpcPort),
  };
}

/** What a document's programs have before their first line, where it says that `client` is made as elsewhere. */
const clientHead = `import { createClient } from "@pawl/client";
const client = createClient({ baseUrl: "http://127.0.0.1:3500" });
`;

/** An id that was used twice; its order's charge was declined. */
const usedTwice = `${clientHead}
const input = { item: "desk", quantity: 1, amountCents: 900_000, shipWithinSeconds: 1 };
for (let run = 1; run <= 2; run += 1) {
  const handle = await client.start("order", input, { instanceId: "order-7" });
  await handle.result();
}
client.close();
`;

interface TestedDocument {
  readonly document: string;
  /** Its blocks run in a folder of their own, and the server follows this folder in it. */
  readonly followed?: string;
  /** Its blocks run in a folder of their own, and so do these paths of the document. */
  readonly paths?: readonly string[];
  /** What its programs begin with. */
  readonly head?: string;
  /** A program that makes what the document speaks of. */
  readonly before?: string;
}

const documents: readonly TestedDocument[] = [
  { document: "README.md" },
  { document: "docs/start.md" },
  { document: "docs/rest.md" },
  { document: "docs/components.md", followed: "components" },
  {
    document: "docs/queries.md",
    head: clientHead,
    before: usedTwice.replace("order-7", "order-1"),
  },
  { document: "docs/lifecycle.md", head: clientHead, before: usedTwice, paths: [] },
  { document: "docs/operate.md", paths: ["/backups/", "/var/lib/"] },
  { document: "examples/order/README.md" },
  { document: "packages/client/README.md" },
  { document: "packages/engine/README.md", paths: [] },
  { document: "packages/protocol/README.md" },
  { document: "packages/server/README.md" },
  { document: "packages/testkit/README.md" },
];

/** Sends a block to the server's ports, and its files into the folder in which it runs. */
function moved(
  text: string,
  { place }: ServerProcess,
  paths: readonly string[],
  cwd: string,
): string {
  return paths
    .reduce((rest, path) => rest.replaceAll(path, `${cwd}${path}`), text)
    .replaceAll(/(?<=127\.0\.0\.1:)3500\b/g, String(place.port))
    .replaceAll(/(?<=127\.0\.0\.1:)50001\b/g, String(place.grpcPort));
}

for (const { document, followed, head = "", before, paths } of documents) {
  describe(document, () => {
    let server: ServerProcess;
    let cwd = repository;
    beforeAll(async () => {
      const flags: string[] = [];
      if (followed !== undefined || paths !== undefined) cwd = await makeFolder();
      for (const path of paths ?? []) mkdirSync(join(cwd, path), { recursive: true });
      if (followed !== undefined) {
        mkdirSync(join(cwd, followed));
        flags.push("--components-path", join(cwd, followed));
      }
      server = await ServerProcess.start("npm-start", undefined, flags);
      if (before !== undefined) {
        const program = saveProgram(moved(before, server, [], cwd), "before.ts");
        await execute(process.execPath, [program], { timeout: 60_000 });
      }
    });
    afterAll(() => server.discard());

    for (const block of parseDocument(readFileSync(join(repository, document), "utf8"))) {
      const language = languages[block.language];
      if (language === undefined || block.notRun !== undefined) continue;
      const title = `line ${block.line}: ${block.text.split("\n")[0]}`;
      test.skipIf(!language.isRunnable(block))(title, async () => {
        const text = moved(block.text, server, paths ?? [], cwd);
        const name = `${document.replaceAll(/\W/g, "-")}-${block.line}`;
        const [command, commandArguments] = language.command(
          text,
          name,
          moved(head, server, [], cwd),
        );
        const env = blockEnvironment(server);
        const options = { cwd, env, timeout: 90_000 };
        const { stdout, stderr } = await execute(command, commandArguments, options);
        if (block.prints === undefined) return;
        const both = `printed:\n${stdout}${stderr}\nshown:\n${block.prints}`;
        expect(matchesOutput(stdout, block.prints), both).toBe(true);
      });
    }
  });
}
