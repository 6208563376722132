// SPDX-License-Identifier: Apache-2.0

import { type Instance, toInstance } from "./instance.js";
import type { ListQuery, ManagementPort } from "./port.js";

/** One page of a list. */
export interface InstancePage {
  readonly instances: readonly Instance[];
  /** To be given as `pageToken`; absent on the last page. */
  readonly nextPageToken?: string;
}

/** The instances that a query finds, read page by page while they are iterated. */
export class InstanceList implements AsyncIterable<Instance> {
  readonly #read: ManagementPort["list"];
  readonly #query: ListQuery;

  constructor(read: ManagementPort["list"], query: ListQuery) {
    this.#read = read;
    this.#query = query;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Instance, void> {
    for await (const { instances } of this.pages()) yield* instances;
  }

  /** The pages, of `pageSize` instances each. */
  async *pages(): AsyncGenerator<InstancePage, void> {
    let query = this.#query;
    for (;;) {
      const page = await this.#read(query);
      yield { ...page, instances: page.instances.map(toInstance) };
      if (page.nextPageToken === undefined) return;
      query = { ...query, pageToken: page.nextPageToken };
    }
  }
}
