// SPDX-License-Identifier: Apache-2.0

/** What other projects' software the benchmark can install, each by a folder in `bench/peers`. */
export const peerNames = ["restate", "dbos", "in-memory", "go", "javascript"] as const;

/** The name of something to install. */
export type PeerName = (typeof peerNames)[number];

/** Peers that were installed, and the reasons why others were not. */
export class Installed {
  readonly #folders: ReadonlyMap<PeerName, string>;
  readonly reasons: ReadonlyMap<PeerName, string>;

  constructor(folders: ReadonlyMap<PeerName, string>, reasons: ReadonlyMap<PeerName, string>) {
    this.#folders = folders;
    this.reasons = reasons;
  }

  /** The folder in which a peer is installed. */
  folderOf(peer: PeerName): string {
    const folder = this.#folders.get(peer);
    if (folder === undefined) throw new Error(this.reasons.get(peer) ?? `${peer} is not installed`);
    return folder;
  }
}
