// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { createLazyFields } from "./lazy-fields.js";

class Source {
  reads = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get text(): string {
    this.reads += 1;
    return this.#text;
  }
}

const withText = createLazyFields({ text: (source: Source) => source.text });

test("a field is read from its own source, and not before it is asked for", () => {
  const sources = [new Source("a"), new Source("b")] as const;
  const [first, second] = sources.map((source) => withText({ other: 1 }, source));
  expect(sources.map(({ reads }) => reads)).toEqual([0, 0]);
  expect([first?.text, second?.text, first?.other]).toEqual(["a", "b", 1]);
  expect(sources.map(({ reads }) => reads)).toEqual([1, 1]);
});

test("a copy has the fields, and may have others in their place", () => {
  const made = withText({ other: 1 }, new Source("a"));
  expect({ ...made }).toMatchObject({ other: 1, text: "a" });
  expect({ ...made, text: "mine" }.text).toBe("mine");
});
