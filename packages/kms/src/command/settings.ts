// The settings of the KMS's commands: one row each, from which come flag, environment variable, check, documentation
// and completion. The command `strongroom` has rows of these in its configuration.

import type { SettingsGiven } from "@strongroom/base/command";
import {
  asBoolean,
  asInteger,
  asListOf,
  asPath,
  asText,
  givenByEnvironment,
  mistypedVariables,
  originOf,
  type Setting,
  type SettingGroup,
  settingsSchema,
  settle,
} from "@strongroom/base/settings";
import { z } from "zod";
import { ACCOUNT_ID, ACCOUNT_ID_RULE } from "../auth/principal-arn.ts";
import { KmsError } from "../errors.ts";
import { REGION_NAME, REGION_NAME_RULE } from "../keys/region-name.ts";
import { KMS_DEFAULTS } from "../options.ts";
import { requireOwnFolder } from "./folder.ts";
import { rootKeySetting } from "./root-key-setting.ts";
import type { RootKeySetting } from "./root-key-setting.ts";

/** A region and its port on this machine; port 0 takes any free port. */
export interface LocalRegion {
  readonly name: string;
  readonly port: number;
}

/** Where the newest checkpoint of the audit is kept as well: a file, or a service of c2sp.org/tlog-witness. */
export type WitnessSetting =
  { readonly kind: "file"; readonly path: string } | { readonly kind: "url"; readonly url: string };

/** How much the KMS logs, to standard error. */
export type KmsLogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/** The settings with their defaults in place. */
export interface KmsSettings {
  /** The folder of the KMS itself: kms.sqlite, credentials.json and, by default, root.key. Absolute. */
  readonly dataDir: string;
  readonly regions: readonly LocalRegion[];
  readonly host: string;
  readonly rootKey: RootKeySetting;
  /** Absent: none. */
  readonly witness?: WitnessSetting | undefined;
  /** Days for which the audit keeps the texts of its entries; 0: for ever. */
  readonly auditDays: number;
  readonly accountId: string;
  readonly allowFaults: boolean;
  /** Absent: a free one. */
  readonly faultsPort?: number | undefined;
  readonly logLevel: KmsLogLevel;
}

/** The settings as loaded. */
export interface GivenKmsSettings extends KmsSettings {
  /** Those that a flag or a variable gave. */
  readonly given: ReadonlySet<string>;
}

/** Regions that run where none are named, with their ports on the loopback interface. */
export const LOCAL_REGIONS: readonly LocalRegion[] = [
  { name: "eu-west-1", port: 8201 },
  { name: "eu-west-2", port: 8202 },
  { name: "eu-central-1", port: 8203 },
];

const text = z.string().min(1, "must not be empty");
const port = z
  .int("must be a whole number")
  .min(0, "must be a port: 0 (any free one) to 65535")
  .max(65535, "must be a port: 0 (any free one) to 65535");
const switched = z.boolean("must be true or false");
const regionName = z.string().regex(REGION_NAME, REGION_NAME_RULE);
const localRegion = z.strictObject(
  { name: regionName, port },
  {
    error: ({ input }) => (typeof input === "string" ? "must be NAME or NAME=PORT, such as eu-west-1=8201" : undefined),
  },
);

/** `kms.regions` alone. */
export const localRegions: z.ZodType<readonly LocalRegion[]> = z
  .array(localRegion)
  .min(1, "must name at least one region");

const witness: z.ZodType<WitnessSetting> = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("file"), path: text }),
    z.strictObject({
      kind: z.literal("url"),
      url: z.string().regex(/^https?:\/\/./, "must begin with http:// or https://"),
    }),
  ],
  'must be { kind: "file", path } or { kind: "url", url }',
);

const regions: Setting<readonly LocalRegion[]> = {
  group: "regions",
  schema: localRegions,
  default: LOCAL_REGIONS,
  standard: LOCAL_REGIONS.map(({ name, port: number }) => `${name}=${number}`).join(", "),
  meaning: "a region of the KMS, nearest first; repeat for each; without =PORT a free one",
  ways: [
    {
      env: "STRONGROOM_KMS_REGIONS",
      flag: "--region <name=port>",
      reading: asListOf((one) => {
        const [, name, number = "0"] = /^([a-z0-9-]+)(?:=(\d{1,5}))?$/.exec(one) ?? [];
        return name === undefined ? one : { name, port: Number(number) };
      }),
      repeatable: true,
    },
  ],
};

/** The rows. */
export const KMS_SETTINGS: SettingGroup<KmsSettings> = {
  dataDir: {
    group: "folder",
    schema: text,
    default: "strongroom-kms-data",
    meaning: "folder of the KMS itself: keys and credentials",
    paths: [[]],
    ways: [{ env: "STRONGROOM_KMS_DATA_DIR", flag: "--data-dir <dir>", reading: asPath }],
  },
  regions,
  host: {
    group: "host",
    schema: text,
    default: KMS_DEFAULTS.host,
    meaning: "address the KMS listens on",
    ways: [{ env: "STRONGROOM_KMS_HOST", flag: "--host <address>", reading: asText }],
  },
  rootKey: rootKeySetting,
  witness: {
    group: "witness",
    schema: witness,
    meaning:
      "where the newest checkpoint of the KMS's audit is kept as well, apart from its folder: a file, or the address " +
      "of a witness (c2sp.org/tlog-witness), with its verifier key after a #",
    paths: [["path"]],
    ways: [
      {
        env: "STRONGROOM_KMS_WITNESS",
        flag: "--witness <file|url>",
        reading: (given, cwd) =>
          /^https?:\/\//.test(given) ? { kind: "url", url: given } : { kind: "file", path: asPath(given, cwd) },
      },
    ],
  },
  auditDays: {
    group: "audit",
    schema: z.int("must be a whole number").min(0, "must be 0 or more days").max(36_500, "must be at most 36500 days"),
    default: 365,
    meaning:
      "days for which the KMS's audit keeps the text of its entries; older ones are kept as hashes, and an entry " +
      "says so; 0: for ever",
    ways: [{ env: "STRONGROOM_KMS_AUDIT_DAYS", flag: "--audit-days <n>", reading: asInteger }],
  },
  accountId: {
    group: "account",
    schema: z.string().regex(ACCOUNT_ID, ACCOUNT_ID_RULE),
    default: KMS_DEFAULTS.accountId,
    meaning: "the account that keys belong to",
    ways: [{ env: "STRONGROOM_KMS_ACCOUNT_ID", flag: "--account-id <digits>", reading: asText }],
  },
  allowFaults: {
    group: "faults",
    schema: switched,
    default: false,
    meaning:
      "let regions of the KMS be taken away, and its clock be put forward, by whoever may read its control.header",
    ways: [{ env: "STRONGROOM_ALLOW_FAULTS", flag: "--allow-faults", reading: asBoolean }],
  },
  faultsPort: {
    group: "faults",
    schema: port,
    standard: "a free one",
    meaning: "port on which they are taken away",
    ways: [{ env: "STRONGROOM_FAULTS_PORT", flag: "--faults-port <n>", reading: asInteger }],
  },
  logLevel: {
    group: "log",
    schema: z.enum(
      ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
      "must be one of trace, debug, info, warn, error, fatal, silent",
    ),
    default: "warn",
    meaning: "trace, debug, info, warn, error, fatal or silent; the log goes to standard error",
    ways: [{ env: "STRONGROOM_LOG_LEVEL", flag: "--log-level <level>", reading: asText }],
  },
};

const schema: z.ZodType<KmsSettings> = settingsSchema<KmsSettings>({ ...KMS_SETTINGS });

/**
 * Loads the settings of the KMS's commands.
 * @param standard what holds where neither a flag nor a variable gives a setting; else the rows' defaults
 * @throws KmsError `option-invalid` with every problem, `data-dir-of-installation`.
 *
 * @example
 * ```ts
 * import { loadKmsSettings } from "@strongroom/kms/command";
 *
 * const env = { STRONGROOM_KMS_REGIONS: "eu-west-1" };
 * const { dataDir, regions } = loadKmsSettings({ cwd: "/srv", env, file: undefined, flags: [] });
 * console.log(dataDir, regions.length); // prints: /srv/strongroom-kms-data 1
 * ```
 */
export function loadKmsSettings(
  { cwd, env, flags }: SettingsGiven,
  standard: Partial<KmsSettings> = {},
): GivenKmsSettings {
  const table = { ...KMS_SETTINGS };
  const given = [...givenByEnvironment(table, env, cwd), ...flags];
  const raw = { dataDir: asPath(KMS_SETTINGS.dataDir.default, cwd), ...standard };
  const { values, problems, origins } = settle({ schema, raw, given });
  const lines = problems.map((problem) => `${originOf(problem, origins) ?? problem.path.join(".")} ${problem.message}`);
  if (values?.allowFaults === false && origins.get("faultsPort")?.startsWith("--") === true)
    lines.push("--faults-port needs --allow-faults");
  for (const line of mistypedVariables({ prefix: "STRONGROOM_", table, others: [] }, env)) lines.push(line);
  if (values === null || lines.length > 0) {
    const [only = "", ...others] = lines;
    throw others.length === 0
      ? new KmsError("option-invalid", only)
      : new KmsError("option-invalid", `there are ${lines.length} problems:`, { problems: lines });
  }
  if (origins.get("dataDir") !== "") requireOwnFolder(values.dataDir);
  return { ...values, given: new Set(given.map(({ path }) => path)) };
}
