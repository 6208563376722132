// SPDX-License-Identifier: Apache-2.0

import { breadthFaults } from "./breadth.ts";
import { componentFaults } from "./component.ts";
import { coreFaults } from "./core.ts";
import { diskFaults } from "./disk.ts";
import { fleetFaults } from "./fleet.ts";
import { givenFaults } from "./given.ts";
import { lifecycleFaults } from "./lifecycle.ts";
import { limitFaults } from "./limits.ts";
import type { PlantedFault } from "./planted-fault.ts";
import { runtimeFaults } from "./runtime.ts";
import { workFaults } from "./work.ts";

export type { PlantedFault, SuiteName } from "./planted-fault.ts";

/** Every planted fault. */
export const plantedFaults: readonly PlantedFault[] = [
  ...coreFaults,
  ...lifecycleFaults,
  ...givenFaults,
  ...breadthFaults,
  ...runtimeFaults,
  ...workFaults,
  ...fleetFaults,
  ...componentFaults,
  ...limitFaults,
  ...diskFaults,
];
