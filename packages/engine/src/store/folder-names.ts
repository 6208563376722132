// SPDX-License-Identifier: Apache-2.0

/** The database, in the data folder. */
export const databaseName = "db";

/** See `NewestCommitFile`. */
export const newestCommitName = "newest-commit";

/** See `SideFile`. */
export const sideFileName = "pawl.json";
