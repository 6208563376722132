// SPDX-License-Identifier: Apache-2.0

// Counts of tests: { passed, failed, skipped, failures }, where `failures` holds the names of what failed.

/** Counts of nothing. */
export function emptyCounts() {
  return { passed: 0, failed: 0, skipped: 0, failures: [] };
}

/** Adds up counts. */
export function addCounts(all) {
  const sum = emptyCounts();
  for (const counts of all) {
    sum.passed += counts.passed;
    sum.failed += counts.failed;
    sum.skipped += counts.skipped;
    sum.failures.push(...counts.failures);
  }
  return sum;
}

/** Counts of one failure, or these with one more. */
export function addFailure(name, counts = emptyCounts()) {
  return addCounts([counts, { ...emptyCounts(), failed: 1, failures: [name] }]);
}
