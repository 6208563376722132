// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";

const { version: ownVersion } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
) as { version: string };

/** The version of Pawl. That of Dapr's API which it speaks is in its metadata. */
export const version = ownVersion;
