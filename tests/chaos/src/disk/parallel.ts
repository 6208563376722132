// SPDX-License-Identifier: Apache-2.0

/** Side by side. */
const parallel = 4;

/** Does the work for each item, a few side by side. Takes an item when it can be worked on. */
export async function inParallel<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const run = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true; next = left.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: parallel }, run));
}
