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
  command(text: string, name: string): [string, string[]];
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
    command: (text, name) => [process.execPath, [saveProgram(text, `${name}.ts`)]],
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

/** The environment of a block: grpcurl on PATH, and Dapr's SDKs sent to the right ports. */
function blockEnvironment(server: ServerProcess): NodeJS.ProcessEnv {
  const grpcurl = findTool("GRPCURL");
  const folders = [...(grpcurl === undefined ? [] : [dirname(grpcurl)]), process.env.PATH];
  return {
    ...process.env,
    PATH: folders.join(delimiter),
    DAPR_HTTP_PORT: String(server.place.port),
    DAPR_GRPC_PORT: String(server.place.grpcPort),
  };
}

/** Where the blocks of a document run: in the repository, or in a folder that the server follows. */
const documents = [
  { document: "README.md" },
  { document: "docs/start.md" },
  { document: "docs/rest.md" },
  { document: "docs/components.md", followed: "components" },
];

for (const { document, followed } of documents) {
  describe(document, () => {
    let server: ServerProcess;
    let cwd = repository;
    beforeAll(async () => {
      const flags: string[] = [];
      if (followed !== undefined) {
        cwd = await makeFolder();
        mkdirSync(join(cwd, followed));
        flags.push("--components-path", join(cwd, followed));
      }
      server = await ServerProcess.start("npm-start", undefined, flags);
    });
    afterAll(() => server.discard());

    for (const block of parseDocument(readFileSync(join(repository, document), "utf8"))) {
      const language = languages[block.language];
      if (language === undefined || block.notRun !== undefined) continue;
      const title = `line ${block.line}: ${block.text.split("\n")[0]}`;
      test.skipIf(!language.isRunnable(block))(title, async () => {
        const text = block.text
          .replaceAll(/(?<=127\.0\.0\.1:)3500\b/g, String(server.place.port))
          .replaceAll(/(?<=127\.0\.0\.1:)50001\b/g, String(server.place.grpcPort));
        const name = `${document.replaceAll(/\W/g, "-")}-${block.line}`;
        const [command, commandArguments] = language.command(text, name);
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
