// SPDX-License-Identifier: Apache-2.0

/** Where an object keeps what its fields are read from. */
const source = Symbol("source");

interface Sourced<Source> {
  readonly [source]: Source;
}

/** What reads each field of a source. */
type Readers<Source> = Readonly<Record<string, (from: Source) => unknown>>;

/** The fields that readers give. */
type Fields<All extends Readers<never>> = {
  readonly [Name in keyof All]: ReturnType<All[Name]>;
};

/**
 * Makes objects with fields that are read from a source when they are asked for, as making them costs.
 * They are fields of the object's own, so that a copy of it has them, too. All objects that one of these
 * functions makes share their getters: new ones for each would cost more than all else here.
 */
export function createLazyFields<Source, All extends Readers<never>>(
  readers: All & Readers<Source>,
): <Own extends object>(own: Own, from: Source) => Own & Fields<All> {
  const descriptors = Object.entries<(from: Source) => unknown>(readers).map(
    ([name, read]): [string, PropertyDescriptor] => {
      const get = function (this: Sourced<Source>): unknown {
        return read(this[source]);
      };
      return [name, { enumerable: true, configurable: true, get }];
    },
  );
  return <Own extends object>(own: Own, from: Source) => {
    const made: Own & Sourced<Source> = { ...own, [source]: from };
    for (const [name, descriptor] of descriptors) Object.defineProperty(made, name, descriptor);
    // The compiler does not follow what is defined by name.
    return made as Own & Sourced<Source> & Fields<All>;
  };
}
