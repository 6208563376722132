// SPDX-License-Identifier: Apache-2.0

// The table of all test suites. A row has:
//   name      what `npm test -- NAME` takes
//   title     what it covers, for people
//   tools     variable of the environment → function that finds or makes the tool. Without a
//             required tool the suite is skipped; without an optional one, its tests skip themselves
//   command   [program, arguments] given the report file and the tools found
//   parse     reads the report, a file, or a folder's XML files
//   project   the project of vitest.config.ts that it runs, if it does
//   ciOnly    runs only with CI=true, or when named

import { join } from "node:path";
import { parseChecks, parseConformance, parseGoTest, parseJunit, parseVitest } from "./report.mjs";
import {
  requireConformanceRunner,
  requireGo,
  requireGrpcurl,
  requireMaven,
  requireOnPath,
  requirePython,
} from "./tools.mjs";
import { nodePath, root } from "./workspace.mjs";

/** What a suite of one of Vitest's projects has in common with the others. */
function vitest(project) {
  const program = join(root, "node_modules", "vitest", "vitest.mjs");
  const flags = ["--reporter=default", "--silent=passed-only", "--reporter=json"];
  return {
    project,
    command: (report) => [
      nodePath(),
      [program, "run", `--project=${project}`, ...flags, `--outputFile.json=${report}`],
    ],
    parse: parseVitest,
  };
}

/** The suites that this repository has. */
export const suites = [
  {
    name: "check",
    title: "format, lint, contract drift, boundaries, sizes",
    required: {},
    optional: {},
    command: (report) => [nodePath(), [join(root, "scripts", "check.mjs"), "--report", report]],
    parse: parseChecks,
    ciOnly: true,
  },
  {
    name: "unit",
    title: "packages, examples and scripts",
    required: {},
    optional: {},
    ...vitest("unit"),
  },
  {
    name: "e2e",
    title: "one server process over curl, Connect, gRPC, gRPC-Web; the documents' commands",
    required: {},
    optional: {
      PAWL_TEST_CURL: () => requireOnPath("curl"),
      PAWL_TEST_GRPCURL: requireGrpcurl,
      PAWL_TEST_PYTHON: () => requirePython("tests/e2e/python"),
      PAWL_TEST_DAPR_PYTHON: () => requirePython("tests/interop/python"),
    },
    ...vitest("e2e"),
  },
  {
    name: "interop-javascript",
    title: "Dapr's JavaScript SDK",
    required: {},
    optional: {},
    ...vitest("@pawl/interop-javascript"),
  },
  {
    name: "interop-python",
    title: "Dapr's Python SDK",
    required: { PAWL_TEST_DAPR_PYTHON: () => requirePython("tests/interop/python") },
    optional: {},
    command: (report, tools) => [
      tools.PAWL_TEST_DAPR_PYTHON,
      ["-m", "pytest", join(root, "tests/interop/python"), "-ra", `--junitxml=${report}`],
    ],
    parse: parseJunit,
  },
  {
    name: "interop-go",
    title: "Dapr's Go SDK",
    required: { PAWL_TEST_GO: () => requireGo("tests/interop/go") },
    optional: {},
    command: (report, tools) => [
      nodePath(),
      [
        join(root, "scripts", "go-test.mjs"),
        ...[tools.PAWL_TEST_GO, join(root, "tests/interop/go"), report],
      ],
    ],
    parse: parseGoTest,
  },
  {
    name: "interop-java",
    title: "Dapr's Java SDK",
    required: { PAWL_TEST_MAVEN: () => requireMaven(17) },
    optional: {},
    command: (report, tools) => [
      tools.PAWL_TEST_MAVEN,
      [
        ...["--batch-mode", "--no-transfer-progress", "--quiet"],
        ...["--file", join(root, "tests/interop/java/pom.xml"), `-Dreports=${report}`, "test"],
      ],
    ],
    parse: parseJunit,
  },
  {
    name: "interop-mixed",
    title: "workflows and activities of four languages on one server",
    required: {
      PAWL_TEST_DAPR_PYTHON: () => requirePython("tests/interop/python"),
      PAWL_TEST_GO: () => requireGo("tests/interop/go"),
      PAWL_TEST_MAVEN: () => requireMaven(17),
    },
    optional: {},
    ...vitest("interop-mixed"),
  },
  {
    name: "interop-microsoft",
    title: "Microsoft's Durable Task SDKs for Python and JavaScript",
    required: { PAWL_TEST_MICROSOFT_PYTHON: () => requirePython("tests/interop/microsoft") },
    optional: {},
    ...vitest("interop-microsoft"),
  },
  {
    name: "conformance",
    title: "the Connect conformance suite on our listener, RPC handler and interceptors",
    required: { PAWL_TEST_CONFORMANCE: requireConformanceRunner },
    optional: {},
    command: (report, tools) => [
      nodePath(),
      [join(root, "scripts", "conformance-test.mjs"), tools.PAWL_TEST_CONFORMANCE, report],
    ],
    parse: parseConformance,
  },
  {
    name: "fuzz",
    title: "hostile input on every protocol",
    required: {},
    optional: {},
    ...vitest("fuzz"),
  },
  {
    name: "chaos",
    title: "the server killed at random moments under load",
    required: {},
    optional: {},
    ...vitest("chaos"),
  },
];
