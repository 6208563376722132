// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { listAnchors, listLinks } from "./docs.mjs";

describe("listLinks()", () => {
  test("finds what stays in the repository, with its line", () => {
    const text = "A [b](c.md#d), [e](https://f.example)\n```\n[no](no.md)\n```\n[g](#h)";
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
