// What a program may import from the package `strongroom`: the configuration's type for strongroom.config.ts, and the
// tables of errors and exit codes that the documentation is held to.
import type { ConfigInput } from "./config/config.ts";

export type { CollectionInput, Config, ConfigInput } from "./config/config.ts";
export type { FieldInput, NormaliserInput } from "./config/fields.ts";
export { CLI_ERRORS, CliError, type CliErrorCode } from "./errors.ts";
export type { Timeline } from "./drill/report.ts";
export { EXIT_CODES, type Outcome } from "@strongroom/base/errors";

/**
 * Gives a configuration file its types, and returns its argument.
 *
 * @example
 * ```ts
 * import { defineConfig } from "strongroom";
 *
 * // strongroom.config.ts
 * export default defineConfig({
 *   keys: { minimum: 2 },
 *   collections: { customers: { fields: { email: { find: "email", unique: true }, phone: { find: "phone:DE" } } } },
 * });
 * ```
 */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}
