// SPDX-License-Identifier: Apache-2.0

import { type Command, Option } from "commander";
import { defaults, type ServerOptions } from "../options.js";

/** The options of a server that flags about components set. Absent: not given. */
export type ComponentFlags = Pick<
  ServerOptions,
  "componentsPaths" | "defaultComponentsPath" | "configFiles" | "appId"
>;

/** Where component files are looked for when no flag says so; it need not exist. */
const defaultFolder = "components";

/** Adds the flags about components and Dapr's Configuration. */
export function addComponentFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--components-path <folder>",
        "Dapr component files; may be given several times; default: ./components if it is there",
      )
        .env("PAWL_COMPONENTS_PATH")
        .argParser(addPath),
    )
    .addOption(
      new Option(
        "--config <file>",
        "Dapr Configuration file: limits and retention; may be given several times",
      )
        .env("PAWL_CONFIG")
        .argParser(addPath),
    )
    .addOption(
      new Option(
        "--app-id <id>",
        `name of this server, in metadata and the scopes of components; default: ${defaults.appId}`,
      ).env("PAWL_APP_ID"),
    );
}

/** Reads them from a command that was parsed. */
export function parseComponentFlags(command: Command): ComponentFlags {
  const { componentsPath, config, appId } = command.opts<{
    componentsPath?: string[];
    config?: string[];
    appId?: string;
  }>();
  return {
    ...(componentsPath === undefined
      ? { defaultComponentsPath: defaultFolder }
      : { componentsPaths: componentsPath }),
    ...(config === undefined ? {} : { configFiles: config }),
    ...(appId === undefined ? {} : { appId }),
  };
}

/** The environment has them in one text, with commas between. */
function addPath(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), ...text.split(",").filter((path) => path !== "")];
}
