// The settings of an installation: one row each, from which come its place in the configuration, its check, flag,
// environment variable, documentation (docs/settings.md) and completion.
import {
  asBoolean,
  asInteger,
  asPath,
  asText,
  type Setting,
  type SettingGroup,
  settingsSchema,
} from "@strongroom/base/settings";
import { KMS_SETTINGS } from "@strongroom/kms/command";
import { z } from "zod";
import type { Config, WrappingRegion } from "./config.ts";

/** A row for every setting of {@link Config}. */
export type InstallationSettings = {
  readonly [Name in keyof Config]: Config[Name] extends string ? Setting<Config[Name]> : SettingGroup<Config[Name]>;
};

const KEY_ARN = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key\/[A-Za-z0-9-]+$/;
const ALIAS = /^alias\/|^arn:[^:]*:kms:[^:]*:[^:]*:alias\//;

const text = z.string().min(1, "must not be empty");
const port = z
  .int("must be a whole number")
  .min(0, "must be a port: 0 (any free one) to 65535")
  .max(65535, "must be a port: 0 (any free one) to 65535");
const milliseconds = z
  .int("must be a whole number of milliseconds")
  .min(1, "must be at least 1 millisecond")
  .max(600_000, "must be at most 600000 milliseconds (10 minutes)");
const wraps = z.int("must be a whole number").min(1, "must be at least 1");
const rate = z.int("must be a whole number").min(1, "must be at least 1").max(10_000, "must be at most 10000");
const switched = z.boolean("must be true or false");
const httpUrl = z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" });
const regionName = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d+$/, "must be a region's name, such as eu-west-1");

/** A KMS key ARN, `arn:aws:kms:REGION:ACCOUNT:key/ID`. An alias is refused, with the reason. */
const keyArn = z.string().superRefine((value, context) => {
  if (ALIAS.test(value)) {
    context.addIssue(
      "is an alias; give the key's ARN. A stored record names the key that wrapped it, and an alias may point to " +
        "another key tomorrow. " +
        "`aws kms describe-key --key-id ALIAS --query KeyMetadata.Arn` prints the ARN",
    );
  } else if (!KEY_ARN.test(value)) {
    context.addIssue("must be a KMS key ARN: arn:aws:kms:REGION:ACCOUNT:key/ID");
  }
});

/** `keys.regions` alone. */
export const wrappingRegions: z.ZodType<readonly WrappingRegion[]> = z
  .array(
    z.strictObject({
      region: regionName,
      keyArn: keyArn.optional(),
      endpoint: httpUrl.optional(),
      credentialsFile: text.optional(),
    }),
  )
  .min(1, "must name at least one region");

/** The rows, in the order of the documentation. */
export const SETTINGS: InstallationSettings = {
  dataDir: {
    group: "files",
    schema: text,
    default: "strongroom-data",
    meaning: "folder of everything that is kept",
    paths: [[]],
    ways: [{ env: "STRONGROOM_DATA_DIR", flag: "--data-dir <dir>", reading: asPath }],
  },
  service: {
    host: {
      group: "service",
      schema: text,
      default: "127.0.0.1",
      meaning: "address the service listens on; put TLS in front of it for other machines",
      ways: [{ env: "STRONGROOM_HOST", flag: "--host <address>", reading: asText }],
    },
    port: {
      group: "service",
      schema: port,
      default: 8200,
      meaning: "port of the service, 0 for any free one",
      ways: [{ env: "STRONGROOM_PORT", flag: "--port <n>", reading: asInteger }],
    },
  },
  kms: {
    regions: KMS_SETTINGS.regions,
    rootKey: KMS_SETTINGS.rootKey,
    witness: KMS_SETTINGS.witness,
    allowFaults: KMS_SETTINGS.allowFaults,
    faultsPort: {
      group: "faults",
      schema: port,
      default: 8209,
      meaning: KMS_SETTINGS.faultsPort.meaning,
      ways: KMS_SETTINGS.faultsPort.ways,
    },
  },
  keys: {
    regions: {
      schema: wrappingRegions,
      meaning: "for `serve`, nearest first: `{ region, keyArn, endpoint?, credentialsFile? }`",
      paths: [["*", "credentialsFile"]],
      ways: [],
    },
    minimum: {
      group: "keys",
      schema: wraps,
      standard: "2, or as many as there are or as target says, if fewer",
      meaning: "regions that must wrap a record for a write to be accepted",
      ways: [{ env: "STRONGROOM_MINIMUM", flag: "--minimum <n>", reading: asInteger }],
    },
    target: {
      group: "keys",
      schema: wraps,
      standard: "all",
      meaning: "regions that should wrap a record",
      ways: [{ env: "STRONGROOM_TARGET", flag: "--target <n>", reading: asInteger }],
    },
    attemptTimeoutMs: {
      harmless: true,
      schema: milliseconds,
      standard: "750",
      meaning: "longest wait for one region, in milliseconds",
      ways: [{ env: "STRONGROOM_ATTEMPT_TIMEOUT_MS", reading: asInteger }],
    },
    deadlineMs: {
      harmless: true,
      schema: milliseconds,
      standard: "2000",
      meaning: "longest wait for all regions together, in milliseconds",
      ways: [{ env: "STRONGROOM_DEADLINE_MS", reading: asInteger }],
    },
    stragglerMinMs: {
      harmless: true,
      schema: milliseconds,
      standard: "250",
      meaning: "how long a write that has its minimum waits at least for the other regions, in milliseconds",
      ways: [{ env: "STRONGROOM_STRAGGLER_MIN_MS", reading: asInteger }],
    },
  },
  repair: {
    enabled: {
      schema: switched,
      default: true,
      meaning: "whether wraps that are owed are paid in the background",
      ways: [{ env: "STRONGROOM_REPAIR", reading: asBoolean }],
    },
    itemsPerSecond: {
      harmless: true,
      schema: rate,
      standard: "100",
      meaning: "versions repaired per second, at most",
      ways: [{ env: "STRONGROOM_REPAIR_ITEMS_PER_SECOND", reading: asInteger }],
    },
    atOnce: {
      harmless: true,
      schema: rate,
      standard: "8",
      meaning: "versions under repair at the same time",
      ways: [{ env: "STRONGROOM_REPAIR_AT_ONCE", reading: asInteger }],
    },
    intervalMs: {
      harmless: true,
      schema: milliseconds,
      standard: "5000",
      meaning: "longest time between two looks for what is owed, in milliseconds",
      ways: [{ env: "STRONGROOM_REPAIR_INTERVAL_MS", reading: asInteger }],
    },
    leaseMs: {
      harmless: true,
      schema: milliseconds,
      standard: "60000",
      meaning: "how long a process that died keeps what it had claimed, in milliseconds",
      ways: [{ env: "STRONGROOM_REPAIR_LEASE_MS", reading: asInteger }],
    },
  },
  client: {
    url: {
      group: "client",
      schema: httpUrl,
      standard: "the one that `up` runs on this data folder",
      meaning: "the service",
      ways: [{ env: "STRONGROOM_URL", flag: "--url <url>", reading: asText }],
    },
    tokenFile: {
      group: "client",
      schema: text,
      standard: "the one in the data folder",
      meaning: "file that holds the token",
      paths: [[]],
      ways: [{ env: "STRONGROOM_TOKEN_FILE", flag: "--token-file <file>", reading: asPath }],
    },
    timeoutMs: {
      harmless: true,
      schema: milliseconds,
      default: 30_000,
      meaning: "longest wait of a client command for an answer, in milliseconds",
      ways: [{ env: "STRONGROOM_TIMEOUT_MS", reading: asInteger }],
    },
    allowPlainHttp: {
      group: "client",
      schema: switched,
      default: false,
      meaning: "let the token travel over http:// to another machine",
      ways: [{ env: "STRONGROOM_ALLOW_PLAIN_HTTP", flag: "--allow-plain-http", reading: asBoolean }],
    },
  },
  log: {
    level: {
      harmless: true,
      group: "log",
      schema: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]),
      default: "info",
      meaning: "trace, debug, info, warn, error or fatal",
      ways: [{ env: "STRONGROOM_LOG_LEVEL", flag: "--log-level <level>", reading: asText }],
    },
  },
};

/** The whole configuration; unknown settings are refused. */
export const configSchema: z.ZodType<Config> = settingsSchema<Config>({ ...SETTINGS });

/**
 * Variables of the same prefix that are no settings of the configuration: the token itself (a secret, read where it is
 * used), the configuration's path, and the settings of the KMS alone.
 */
export const OTHER_VARIABLES: readonly string[] = [
  "STRONGROOM_CONFIG",
  "STRONGROOM_TOKEN",
  ...[KMS_SETTINGS.dataDir, KMS_SETTINGS.host, KMS_SETTINGS.accountId].flatMap(({ ways }) =>
    ways.map(({ env }) => env),
  ),
];
