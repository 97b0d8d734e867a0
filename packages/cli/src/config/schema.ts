// The configuration as a type that can not be wrong inside: every setting, its limits and its default. Sources are
// merged in load.ts.
import { z } from "zod";

/** Regions of the KMS that `strongroom up` runs, nearest first, with their ports on the loopback interface. */
export const LOCAL_REGIONS: readonly LocalRegion[] = [
  { name: "eu-west-1", port: 8201 },
  { name: "eu-west-2", port: 8202 },
  { name: "eu-central-1", port: 8203 },
];

/**
 * One region whose KMS key wraps every record's data key. Without an endpoint it is AWS's own, with the default
 * credential chain.
 */
export interface WrappingRegion {
  /** AWS's name of the region: "eu-west-1". */
  readonly region: string;
  /** `arn:aws:kms:REGION:ACCOUNT:key/ID`; where it is left out, the one remembered in the data folder. */
  readonly keyArn?: string | undefined;
  /** URL of a KMS other than AWS's own. */
  readonly endpoint?: string | undefined;
  /** A file `{"accessKeyId", "secretAccessKey"}`, as `strongroom kms serve` makes it. */
  readonly credentialsFile?: string | undefined;
}

/** A region of the KMS that runs here; port 0 takes any free port. */
export interface LocalRegion {
  readonly name: string;
  readonly port: number;
}

/**
 * Where the root key of the local KMS comes from: a key file (made at first start), or a file that holds a passphrase.
 */
export type RootKeySetting =
  | { readonly kind: "file"; readonly path?: string | undefined }
  | { readonly kind: "passphrase"; readonly path: string };

/** The validated configuration, every default filled in. */
export interface Config {
  /** Folder of everything that is kept: database, tokens, keys of the local KMS, log. Default "strongroom-data". */
  readonly dataDir: string;
  /** Where the service listens. Default 127.0.0.1:8200. */
  readonly service: { readonly host: string; readonly port: number };
  /** The KMS that `strongroom up` and `strongroom kms serve` run. */
  readonly kms: {
    /** Default {@link LOCAL_REGIONS}. */
    readonly regions: readonly LocalRegion[];
    /** Default: a key file in the data folder. */
    readonly rootKey: RootKeySetting;
    /** Whether regions can be taken away on purpose, through `faultsPort`. Default false. */
    readonly allowFaults: boolean;
    /** Default 8209. */
    readonly faultsPort: number;
  };
  readonly keys: {
    /** The regions of `strongroom serve`, nearest first. `strongroom up` makes its own. */
    readonly regions?: readonly WrappingRegion[] | undefined;
    /** Wraps that a write must have to be accepted. Default 2, or 1 where only one is made. */
    readonly minimum?: number | undefined;
    /** Wraps that a write should have. Default: one in every region. */
    readonly target?: number | undefined;
    /** Longest wait for one region. Default: the keyring's own, below a second. */
    readonly attemptTimeoutMs?: number | undefined;
    /** Longest wait for all regions together. Default: the keyring's own, 2 seconds. */
    readonly deadlineMs?: number | undefined;
    /**
     * How long a write that has its minimum of wraps waits at least for the others. Default: the keyring's own, a
     * quarter of a second.
     */
    readonly stragglerMinMs?: number | undefined;
  };
  /**
   * How wraps that are owed are paid in the background. Defaults of numbers: DEFAULT_REPAIR_SETTINGS of
   * @strongroom/vault.
   */
  readonly repair: {
    /** Default true. */
    readonly enabled: boolean;
    /** Versions begun per second, at most. Default 100. */
    readonly itemsPerSecond?: number | undefined;
    /** Versions under repair at the same time. Default 8. */
    readonly atOnce?: number | undefined;
    /** Longest time between two looks for what is owed. Default 5 seconds. */
    readonly intervalMs?: number | undefined;
    /** How long a process keeps what it claimed if it dies. Default a minute. */
    readonly leaseMs?: number | undefined;
  };
  /** How the client commands (put, get, import …) find the service. */
  readonly client: {
    /** Default: where `up` of the same data folder listens. */
    readonly url?: string | undefined;
    /** Default: the token that `up` left in the data folder. */
    readonly tokenFile?: string | undefined;
    /** Longest wait for an answer. Default 30000. */
    readonly timeoutMs: number;
    /** Whether a token may travel over http:// to another machine. Default false. */
    readonly allowPlainHttp: boolean;
  };
  readonly log: { readonly level: LogLevel };
}

/** How much the service logs. Default "info": one line a request. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

/** What a configuration file holds: the same settings, every one of which may be left out. */
export type ConfigInput = {
  readonly [Group in keyof Config]?: Config[Group] extends object ? Partial<Config[Group]> : Config[Group];
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

const wrappingRegion = z.strictObject({
  region: regionName,
  keyArn: keyArn.optional(),
  endpoint: httpUrl.optional(),
  credentialsFile: text.optional(),
});

const localRegion = z.strictObject({ name: regionName, port });

const rootKey = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("file"), path: text.optional() }),
    z.strictObject({ kind: z.literal("passphrase"), path: text }),
  ],
  'must be { kind: "file", path? } or { kind: "passphrase", path }',
);

/** `keys.regions` alone. */
export const wrappingRegions: z.ZodType<readonly WrappingRegion[]> = z
  .array(wrappingRegion)
  .min(1, "must name at least one region");
/** `kms.regions` alone. */
export const localRegions: z.ZodType<readonly LocalRegion[]> = z
  .array(localRegion)
  .min(1, "must name at least one region");

/** The whole configuration; unknown settings are refused. */
export const configSchema: z.ZodType<Config> = z.strictObject({
  dataDir: text.default("strongroom-data"),
  service: z.strictObject({ host: text.default("127.0.0.1"), port: port.default(8200) }).prefault({}),
  kms: z
    .strictObject({
      regions: localRegions.default([...LOCAL_REGIONS]),
      rootKey: rootKey.default({ kind: "file" }),
      allowFaults: z.boolean("must be true or false").default(false),
      faultsPort: port.default(8209),
    })
    .prefault({}),
  keys: z
    .strictObject({
      regions: wrappingRegions.optional(),
      minimum: wraps.optional(),
      target: wraps.optional(),
      attemptTimeoutMs: milliseconds.optional(),
      deadlineMs: milliseconds.optional(),
      stragglerMinMs: milliseconds.optional(),
    })
    .prefault({}),
  repair: z
    .strictObject({
      enabled: z.boolean("must be true or false").default(true),
      itemsPerSecond: rate.optional(),
      atOnce: rate.optional(),
      intervalMs: milliseconds.optional(),
      leaseMs: milliseconds.optional(),
    })
    .prefault({}),
  client: z
    .strictObject({
      url: httpUrl.optional(),
      tokenFile: text.optional(),
      timeoutMs: milliseconds.default(30_000),
      allowPlainHttp: z.boolean("must be true or false").default(false),
    })
    .prefault({}),
  log: z
    .strictObject({ level: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("info") })
    .prefault({}),
});

/** The number of wraps that a write must and should have, for so many regions. */
export function wrapPolicy(config: Config, regionCount: number): { readonly minimum: number; readonly target: number } {
  const target = config.keys.target ?? regionCount;
  return { minimum: config.keys.minimum ?? Math.min(2, target), target };
}
