// The settings of an installation: one row each, from which come its place in the configuration, its check, flag,
// environment variable, documentation (docs/settings.md) and completion.
import {
  asBoolean,
  asInteger,
  asListOf,
  asPath,
  asText,
  type Setting,
  type SettingGroup,
  settingsSchema,
} from "@strongroom/base/settings";
import { KMS_SETTINGS } from "@strongroom/kms/command";
import { z } from "zod";
import { AUDIT_SETTINGS } from "./audit-settings.ts";
import { collectionDeclarations, scope } from "./collections.ts";
import type { Config } from "./config.ts";
import { databaseSettings } from "./database-settings.ts";
import { roleDeclarations } from "./roles.ts";
import { wrappingRegions } from "./wrapping-regions.ts";

/** Settings that are no group of settings. */
type Single = "dataDir" | "collections" | "roles";

/** A row for every setting of {@link Config}. */
export type InstallationSettings = {
  readonly [Name in keyof Config]: Name extends Single ? Setting<Config[Name]> : SettingGroup<Config[Name]>;
};

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
const load = z.int("must be a whole number").min(1, "must be at least 1").max(100_000, "must be at most 100000");
const hostName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]+$|^\[?[0-9A-Fa-f:.]+\]?$/, "must be a host's name or address, without a port");
const amount = z
  .int("must be a whole number")
  .min(1, "must be at least 1")
  .max(1_000_000_000, "must be at most 1000000000");
const switched = z.boolean("must be true or false");
const httpUrl = z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" });

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
    hosts: {
      schema: z.array(hostName),
      default: [],
      standard: "localhost, `service.host`, and the address that a connection came to",
      meaning: "further names by which the service may be called, as the `Host` header has them, without a port",
      ways: [{ env: "STRONGROOM_HOSTS", reading: asListOf(asText) }],
    },
    atOnce: {
      schema: load,
      standard: "16",
      meaning:
        "records that are worked on at once; a request counts one, a batch up to 8. More where the regions are far: " +
        "records a second times the seconds that one takes",
      ways: [{ env: "STRONGROOM_AT_ONCE", reading: asInteger }],
    },
    waiting: {
      schema: load,
      standard: "112",
      meaning: "the same of requests that wait for their turn; beyond it a request is refused (503, `overloaded`)",
      ways: [{ env: "STRONGROOM_WAITING", reading: asInteger }],
    },
    waitMs: {
      schema: milliseconds,
      standard: "500",
      meaning: "longest that a request waits for its turn before it is refused, in milliseconds",
      ways: [{ env: "STRONGROOM_WAIT_MS", reading: asInteger }],
    },
    perToken: {
      schema: load,
      standard: "96",
      meaning: "requests of one token at once, until their answers are read; beyond it 429 (`token-limit`)",
      ways: [{ env: "STRONGROOM_PER_TOKEN", reading: asInteger }],
    },
    findsPerMinute: {
      schema: amount,
      standard: "600",
      meaning:
        "finds of one token in a minute, and as many at once, writes that are refused for a value that is taken " +
        "included; beyond it 429 (`find-limit`). Each process counts for itself: N of them give N times as much",
      ways: [{ env: "STRONGROOM_FINDS_PER_MINUTE", reading: asInteger }],
    },
    connections: {
      schema: load,
      standard: "4096",
      meaning: "connections at once; those beyond it are refused (503, `overloaded`) and ended",
      ways: [{ env: "STRONGROOM_CONNECTIONS", reading: asInteger }],
    },
    receiveMs: {
      schema: milliseconds,
      standard: "10000",
      meaning: "until a request must have arrived whole, in milliseconds",
      ways: [{ env: "STRONGROOM_RECEIVE_MS", reading: asInteger }],
    },
    answerMs: {
      schema: milliseconds,
      standard: "30000",
      meaning: "until a request is answered or given up, in milliseconds",
      ways: [{ env: "STRONGROOM_ANSWER_MS", reading: asInteger }],
    },
    stallMs: {
      schema: milliseconds,
      standard: "10000",
      meaning: "how long a client may read nothing of its answer before the connection is ended, in milliseconds",
      ways: [{ env: "STRONGROOM_STALL_MS", reading: asInteger }],
    },
    sendMs: {
      schema: milliseconds,
      standard: "60000",
      meaning: "until a client must have read its whole answer, in milliseconds",
      ways: [{ env: "STRONGROOM_SEND_MS", reading: asInteger }],
    },
    keepAliveMs: {
      schema: milliseconds,
      standard: "72000",
      meaning: "how long a connection without a request is kept, in milliseconds",
      ways: [{ env: "STRONGROOM_KEEP_ALIVE_MS", reading: asInteger }],
    },
  },
  store: databaseSettings({
    env: "STORE",
    flag: "store",
    schema: "strongroom",
    url:
      "where the records lie: postgres://USER@HOST:PORT/DATABASE, with ?sslmode=verify-full (disable only to this " +
      "machine) and, for a socket, ?host=/FOLDER; never with a password",
    absent: "SQLite: records.sqlite in the data folder",
    tables: "the tables",
    exposed: "who is written about",
  }),
  keyStore: databaseSettings({
    env: "KEY_STORE",
    flag: "key-store",
    schema: "strongroom_keys",
    url:
      "where the keys of people lie, a URL as store.url: another database or, better, another cluster, whose backups " +
      "are kept apart from those of the records",
    absent: "keys.sqlite in the data folder; with store.url, the same database in a schema of its own",
    tables: "the tables of the keys",
    exposed: "which keys there are",
  }),
  audit: AUDIT_SETTINGS,
  collections: {
    schema: collectionDeclarations,
    default: {},
    standard: "none",
    meaning:
      "what is declared of collections, by name: `{ scope?, subject?, ids?, tenant?, purposes?, schema?, " +
      "fields?, indexes? }`. scope: record, subject or tenant. subject, whom a record is about: id, none, or `{ " +
      "field }`. ids: public or sealed. tenant: a name, or `{ field }`. purposes: codes, one of which a call " +
      "must name. schema: what documents are to be like, as a JSON Schema; in a .js or .ts file also a Standard " +
      "Schema (zod, valibot, arktype). fields, by their paths: `{ find?, unique?, prefix?, buckets?, alone?, " +
      "values?, leaks?, mask?, never? }`, with find one of email, phone, phone:DE (of a country), date, " +
      "postcode, folded-name, text and exact. indexes of several fields, by their names: `{ fields, unique?, " +
      "leaks? }` (docs/collections.md)",
    ways: [],
  },
  roles: {
    schema: roleDeclarations,
    default: {},
    standard: "none",
    meaning:
      "what tokens with roles may, by the roles' names: `{ tokens?, grants }`. tokens: ids or labels of tokens that " +
      "have the role, beside those made with it (strongroom token create --role). grants: a list of " +
      "`{ collection, fields?, actions, purposes? }`, with actions out of read, read:masked, write, find, " +
      "find:FIELD, erase, audit, keys and admin. What no grant allows is denied; strongroom policy test explains a " +
      "decision",
    ways: [],
  },
  kms: {
    regions: KMS_SETTINGS.regions,
    rootKey: KMS_SETTINGS.rootKey,
    witness: KMS_SETTINGS.witness,
    auditDays: KMS_SETTINGS.auditDays,
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
      meaning:
        "for `serve`, nearest first: `{ region, keyArn, keyStoreKeyArn?, endpoint?, tlsFingerprint?, caFile?, " +
        "credentialsFile? }`. keyStoreKeyArn, in every region or in none: the key that wraps the keys of people and " +
        "nothing else",
      paths: [
        ["*", "credentialsFile"],
        ["*", "caFile"],
      ],
      ways: [],
    },
    next: {
      schema: wrappingRegions,
      meaning:
        "the regions of the next key set, as keys.regions: writes go under it once strongroom store flip has put " +
        "it in force",
      paths: [
        ["*", "credentialsFile"],
        ["*", "caFile"],
      ],
      ways: [],
    },
    generation: {
      schema: z.int().min(1),
      meaning:
        "shredding generation of the keys in keys.regions[].keyStoreKeyArn; 1 when left out. It goes up by one with " +
        "each shred, in every process",
      ways: [],
    },
    nextGeneration: {
      schema: z.int().min(1),
      meaning: "that of keys.next, one higher than keys.generation where it shreds; keys.generation when left out",
      ways: [],
    },
    allowUnauthenticatedKms: {
      schema: switched,
      default: false,
      meaning:
        "DANGEROUS: let a KMS be reached over plain http://, where whoever takes its port is sent data keys in " +
        "plaintext",
      ways: [{ env: "STRONGROOM_ALLOW_UNAUTHENTICATED_KMS", reading: asBoolean }],
    },
    scope: {
      schema: scope,
      default: "subject",
      meaning:
        "the keys that records hang on: record (each version has its own, and every write and read calls a KMS), " +
        "subject (each person has one) or tenant (and people's keys are under their tenant's)",
      ways: [{ env: "STRONGROOM_SCOPE", reading: asText }],
    },
    cacheAgeMs: {
      schema: z
        .int("must be a whole number of milliseconds")
        .min(1, "must be at least 1 millisecond")
        .max(86_400_000, "must be at most 86400000 milliseconds (a day)"),
      standard: "300000",
      meaning: "how long the opened key of a person is used before a KMS opens it again, in milliseconds",
      ways: [{ env: "STRONGROOM_KEY_CACHE_AGE_MS", reading: asInteger }],
    },
    cacheUses: {
      schema: amount,
      standard: "no bound",
      meaning: "messages that an opened key seals or opens before a KMS opens it again",
      ways: [{ env: "STRONGROOM_KEY_CACHE_USES", reading: asInteger }],
    },
    cacheKeys: {
      schema: amount.max(10_000_000, "must be at most 10000000"),
      standard: "10000",
      meaning: "opened keys in the memory of one process, at most",
      ways: [{ env: "STRONGROOM_KEY_CACHE_KEYS", reading: asInteger }],
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
    proveWraps: {
      group: "keys",
      schema: z.enum(["all", "sampled", "off"], "must be all, sampled or off"),
      standard: "sampled",
      meaning: "which wraps are opened by their region before they count: all, sampled or off",
      ways: [{ env: "STRONGROOM_PROVE_WRAPS", flag: "--prove-wraps <which>", reading: asText }],
    },
    fourEyes: {
      schema: z.boolean("must be true or false"),
      standard: "false",
      meaning: "whether it takes two principals to retire a key, to shred, to lift a hold, to export and to restore",
      ways: [{ env: "STRONGROOM_FOUR_EYES", reading: asBoolean }],
    },
    cryptoperiodDays: {
      schema: z
        .int("must be a whole number of days")
        .min(1, "must be at least 1 day")
        .max(36_500, "must be at most 36500 days"),
      standard: "365",
      meaning: "days for which a key's material is to be used: doctor warns of one that is older",
      ways: [{ env: "STRONGROOM_CRYPTOPERIOD_DAYS", reading: asInteger }],
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
 * Variables of the same prefix that are no settings of the configuration: the token and the databases'
 * passwords (secrets, read where they are used), the configuration's path, and the settings of the KMS alone.
 */
export const OTHER_VARIABLES: readonly string[] = [
  "STRONGROOM_CONFIG",
  "STRONGROOM_TOKEN",
  "STRONGROOM_STORE_PASSWORD",
  "STRONGROOM_KEY_STORE_PASSWORD",
  "STRONGROOM_AUDIT_STORE_PASSWORD",
  ...[KMS_SETTINGS.dataDir, KMS_SETTINGS.host, KMS_SETTINGS.accountId].flatMap(({ ways }) =>
    ways.map(({ env }) => env),
  ),
];
