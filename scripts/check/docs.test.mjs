// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { listAnchors, listLinks, listPawlNames } from "./docs.mjs";

describe("listLinks()", () => {
  test("finds what stays in the repository, with its line", () => {
    const text = 'A [b](c.md#d "t"), [e](https://f.example)\n```\n[no](no.md)\n```\n[g](#h)';
    expect(listLinks(text)).toEqual([
      { target: "c.md#d", line: 1 },
      { target: "#h", line: 5 },
    ]);
  });
});

describe("listAnchors()", () => {
  test("makes them of headings as forges do", () => {
    const text =
      "# A `code` title, with [a link](b.md)\n```bash\n# no heading\n```\n### `STORE_LOCKED`";
    expect([...listAnchors(text)]).toEqual(["a-code-title-with-a-link", "store_locked"]);
  });
});

describe("listPawlNames()", () => {
  test("finds variables, and flags after the program's name, over its lines", () => {
    const text = [
      "`PAWL_PORT` or `--port`, `pawl serve --data x`; `curl --retry 9`",
      "pawl backup --address a \\",
      "  --token b # --no",
      "pawl --version",
    ].join("\n");
    expect(listPawlNames(text)).toEqual([
      { name: "PAWL_PORT", line: 1 },
      { name: "--data", line: 1 },
      { name: "--address", line: 2 },
      { name: "--token", line: 2 },
      { name: "--version", line: 4 },
    ]);
  });
});
