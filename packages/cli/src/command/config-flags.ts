// The flags that give settings of the configuration. A flag is a row: which setting it gives, and to which groups of
// commands it belongs.
import { resolve } from "node:path";
import type { FlagValue } from "../config/load.ts";
import { readSetting, type Setting, SETTINGS } from "../config/settings.ts";
import type { FlagGroup } from "./spec.ts";

/** One flag of a setting, as commander reads it. */
export interface ConfigFlag {
  readonly group: FlagGroup;
  readonly flags: string;
  readonly env: string;
  readonly description: string;
  /** Given several times, its values are joined with commas. */
  readonly repeatable?: true;
}

/** The flags. Each names its setting by the environment variable of config/settings.ts. */
export const CONFIG_FLAGS: readonly ConfigFlag[] = [
  {
    group: "files",
    flags: "--data-dir <dir>",
    env: "STRONGROOM_DATA_DIR",
    description: "folder of everything that is kept (default: strongroom-data)",
  },
  {
    group: "service",
    flags: "--host <address>",
    env: "STRONGROOM_HOST",
    description: "address the service listens on (default: 127.0.0.1)",
  },
  {
    group: "service",
    flags: "--port <n>",
    env: "STRONGROOM_PORT",
    description: "port of the service, 0 for any free one (default: 8200)",
  },
  {
    group: "kms",
    flags: "--region <name=port>",
    env: "STRONGROOM_KMS_REGIONS",
    description:
      "a region of the local KMS, nearest first; repeat for each (default: three in Europe, ports 8201 to 8203)",
    repeatable: true,
  },
  {
    group: "kms",
    flags: "--root-key-file <file>",
    env: "STRONGROOM_ROOT_KEY_FILE",
    description: "root key of the local KMS (default: kms/root.key in the data folder)",
  },
  {
    group: "kms",
    flags: "--passphrase-file <file>",
    env: "STRONGROOM_PASSPHRASE_FILE",
    description: "derive the root key from the passphrase in this file instead",
  },
  {
    group: "kms",
    flags: "--allow-faults",
    env: "STRONGROOM_ALLOW_FAULTS",
    description: "let regions of the local KMS be taken away on purpose",
  },
  {
    group: "kms",
    flags: "--faults-port <n>",
    env: "STRONGROOM_FAULTS_PORT",
    description: "port on which they are taken away (default: 8209)",
  },
  {
    group: "keys",
    flags: "--minimum <n>",
    env: "STRONGROOM_MINIMUM",
    description: "regions that must wrap a record for a write to be accepted (default: 2)",
  },
  {
    group: "keys",
    flags: "--target <n>",
    env: "STRONGROOM_TARGET",
    description: "regions that should wrap a record (default: all)",
  },
  {
    group: "client",
    flags: "--url <url>",
    env: "STRONGROOM_URL",
    description: "the service (default: the one that `up` runs on this data folder)",
  },
  {
    group: "client",
    flags: "--token-file <file>",
    env: "STRONGROOM_TOKEN_FILE",
    description: "file that holds the token (default: the one in the data folder)",
  },
  {
    group: "client",
    flags: "--allow-plain-http",
    env: "STRONGROOM_ALLOW_PLAIN_HTTP",
    description: "let the token travel over http:// to another machine",
  },
  {
    group: "log",
    flags: "--log-level <level>",
    env: "STRONGROOM_LOG_LEVEL",
    description: "trace, debug, info, warn, error or fatal (default: info)",
  },
];

/** The flags of the given groups. */
export function configFlags(groups: readonly FlagGroup[]): readonly ConfigFlag[] {
  return CONFIG_FLAGS.filter(({ group }) => groups.includes(group));
}

/** The setting that a flag gives. */
export function settingOf(flag: ConfigFlag): Setting {
  const setting = SETTINGS.find(({ env }) => env === flag.env);
  if (setting === undefined) throw new TypeError(`no setting has the variable ${flag.env}`);
  return setting;
}

/** What commander collects for a flag: its text, all its texts where it is repeatable, or that a switch was given. */
export type FlagText = string | boolean | readonly string[];

/** Reads the values that commander collected for the flags of settings; `name` is the option's name in camel case. */
export function flagValues(
  flags: readonly ConfigFlag[],
  valueOf: (flag: ConfigFlag) => FlagText | undefined,
  cwd: string,
): FlagValue[] {
  return flags.flatMap((flag) => {
    const value = valueOf(flag);
    if (value === undefined) return [];
    const setting = settingOf(flag);
    const given = typeof value === "object" ? value.join(",") : String(value);
    return [
      {
        path: setting.path,
        flag: flag.flags.split(" ")[0] ?? flag.flags,
        value: readSetting(setting.reading, given, (path) => resolve(cwd, path)),
      },
    ];
  });
}
