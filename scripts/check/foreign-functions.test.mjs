// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { listForeignFunctions } from "./foreign-functions.mjs";

const go = `package a

func (s *system) one(t *testing.T) {
\tif true {
\t\ttwo()
\t}
}

func two() {
}
`;

const python = `class A:
    def one(
        self, b: int
    ) -> None:
        if b:

            pass

    async def two(self) -> None: ...


def three():
    pass
`;

const java = `final class A {
  A(int b) {
    if (b > 1) {
      b();
    }
  }

  @Override
  public List<String> b(int c) throws Exception {
    try (var d = e()) {
    }
    return f(() -> {
    });
  }
}
`;

describe("listForeignFunctions()", () => {
  test.each([
    ["a.go", go, [3, 5, 9, 2]],
    ["a.py", python, [2, 6, 9, 1, 12, 2]],
    ["A.java", java, [2, 5, 9, 6]],
    ["a.ts", "function a() {\n}", []],
  ])("finds the functions of %s, with their lines", (file, text, expected) => {
    const found = listForeignFunctions(file, text).flatMap(({ line, lines }) => [line, lines]);
    expect(found).toEqual(expected);
  });
});
