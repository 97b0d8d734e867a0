// The configuration as a type that cannot be wrong inside. What each setting means, its default, its flag and its
// variable are in its row in settings.ts, which the compiler holds to this type.
import type { KmsLogLevel, LocalRegion, RootKeySetting, WitnessSetting } from "@strongroom/kms/command";
import type { CollectionOptions, RolesOptions, Scope } from "@strongroom/vault";
import type { FieldInput } from "./fields.ts";

export type { LocalRegion, RootKeySetting, WitnessSetting } from "@strongroom/kms/command";

/**
 * One region whose KMS key wraps every record's data key. Without an endpoint it is AWS's own, with the default
 * credential chain.
 */
export interface WrappingRegion {
  /** AWS's name of the region: "eu-west-1". */
  readonly region: string;
  /** `arn:aws:kms:REGION:ACCOUNT:key/ID`; where it is left out, the one remembered in the data folder. */
  readonly keyArn?: string | undefined;
  /**
   * Of the key that wraps the keys of people and nothing else; where every region leaves it out, `keyArn` wraps them
   * too (generation 0, which cannot be shredded).
   */
  readonly keyStoreKeyArn?: string | undefined;
  /** URL of a KMS other than AWS's own. */
  readonly endpoint?: string | undefined;
  /** SHA-256 of the one certificate that the endpoint may have, as `strongroom kms serve --tls` prints it. */
  readonly tlsFingerprint?: string | undefined;
  /** PEM file of the authorities that may have signed the endpoint's certificate; absent: the public ones. */
  readonly caFile?: string | undefined;
  /** A file `{"accessKeyId", "secretAccessKey"}`, as `strongroom kms serve` makes it. */
  readonly credentialsFile?: string | undefined;
}

/** Where the service listens, by which names it may be called, and how much it takes at once. */
export interface ServiceSettings {
  readonly host: string;
  readonly port: number;
  /** Beside this machine's own names and `host`. */
  readonly hosts: readonly string[];
  /** What is left out is as in the server's DEFAULT_SERVER_LIMITS. */
  readonly atOnce?: number | undefined;
  readonly waiting?: number | undefined;
  readonly waitMs?: number | undefined;
  readonly perToken?: number | undefined;
  readonly findsPerMinute?: number | undefined;
  readonly connections?: number | undefined;
  readonly receiveMs?: number | undefined;
  readonly answerMs?: number | undefined;
  readonly stallMs?: number | undefined;
  readonly sendMs?: number | undefined;
  readonly keepAliveMs?: number | undefined;
}

/** Which wraps are opened by their region before they count. */
export type ProveWraps = "all" | "sampled" | "off";

/** Where the records lie, or the keys. */
export interface StoreSettings {
  /**
   * `postgres://USER@HOST:PORT/DATABASE`, without a password. Absent: SQLite in the data folder; of the keys, where the
   * records lie.
   */
  readonly url?: string | undefined;
  /** The file of the password; absent: STRONGROOM_STORE_PASSWORD or STRONGROOM_KEY_STORE_PASSWORD, or none. */
  readonly passwordFile?: string | undefined;
  /** PEM file of the authorities that may have signed the server's certificate; absent: Node's and this machine's. */
  readonly caFile?: string | undefined;
  /** The schema of the tables. */
  readonly schema: string;
  /** Connections of one process at most. */
  readonly poolSize: number;
  /** Lets a server on another machine be reached without TLS. */
  readonly allowUnauthenticatedStore: boolean;
}

/** Where the newest checkpoint of the audit is kept as well. */
export type AuditWitnessSetting =
  | { readonly kind: "file"; readonly path: string }
  /** With the verifier key after a `#`. */
  | { readonly kind: "url"; readonly url: string }
  | {
      readonly kind: "s3";
      readonly bucket: string;
      readonly prefix: string;
      readonly region?: string | undefined;
      /** For so many each object is locked. */
      readonly days: number;
    };

/** The audit: where its log lies, and what is made of it. */
export interface AuditSettings extends Omit<StoreSettings, "url"> {
  /** A path, or a URL; absent: SQLite in the data folder, or where the records lie. */
  readonly store?: string | undefined;
  /** Absent: a file of the user's own. Empty: none. */
  readonly witness?: readonly AuditWitnessSetting[] | undefined;
  /** Who does what no token asked for. */
  readonly principal: string;
  /** Days; 0: for ever. */
  readonly retention: number;
  /** How much of the newest a store may lack; 0: nothing. */
  readonly acceptTailMs: number;
}

/** How much the service logs. At "info" one line a request. */
export type LogLevel = Exclude<KmsLogLevel, "silent">;

/** The validated configuration, every default filled in. docs/settings.md describes each setting. */
export interface Config {
  /** Folder of everything that is kept. Absolute. */
  readonly dataDir: string;
  readonly service: ServiceSettings;
  readonly store: StoreSettings;
  /** Where the keys of people lie: a database of their own, so that a backup of the records alone opens nothing. */
  readonly keyStore: StoreSettings;
  /** Who did what: without its entry nothing is released. */
  readonly audit: AuditSettings;
  /** What is declared of collections, by their names. */
  readonly collections: Readonly<Record<string, CollectionOptions>>;
  /** What tokens with roles may, by the roles' names. */
  readonly roles: RolesOptions;
  /** The KMS that `strongroom up` and `strongroom kms serve` run. */
  readonly kms: {
    /** Nearest first. */
    readonly regions: readonly LocalRegion[];
    readonly rootKey: RootKeySetting;
    /** Absent: none. */
    readonly witness?: WitnessSetting | undefined;
    /** Days for which its audit keeps the texts of entries; 0: for ever. */
    readonly auditDays: number;
    readonly allowFaults: boolean;
    readonly faultsPort: number;
  };
  readonly keys: {
    /** The regions of `strongroom serve`, nearest first. `strongroom up` makes its own. */
    readonly regions?: readonly WrappingRegion[] | undefined;
    /** The regions of the next key set: this process knows it, and writes under it once it is in force. */
    readonly next?: readonly WrappingRegion[] | undefined;
    /** Shredding generation of the keys in `regions[].keyStoreKeyArn`, and of those in `next`. */
    readonly generation?: number | undefined;
    readonly nextGeneration?: number | undefined;
    /** Lets a KMS be reached over plain HTTP, which authenticates nobody. */
    readonly allowUnauthenticatedKms: boolean;
    /** Of the collections that declare none. */
    readonly scope: Scope;
    /** Bounds of the opened keys in memory; what is left out is as in the vault's DEFAULT_KEY_CACHE. */
    readonly cacheAgeMs?: number | undefined;
    readonly cacheUses?: number | undefined;
    readonly cacheKeys?: number | undefined;
    readonly minimum?: number | undefined;
    readonly target?: number | undefined;
    readonly proveWraps?: ProveWraps | undefined;
    /** Whether a key is retired by two principals alone: one who asks, and one who approves. */
    readonly fourEyes?: boolean | undefined;
    /** Days for which a key's material is to be used; left out: 365. */
    readonly cryptoperiodDays?: number | undefined;
    readonly attemptTimeoutMs?: number | undefined;
    readonly deadlineMs?: number | undefined;
    readonly stragglerMinMs?: number | undefined;
  };
  /** How wraps that are owed are paid in the background. */
  readonly repair: {
    readonly enabled: boolean;
    readonly itemsPerSecond?: number | undefined;
    readonly atOnce?: number | undefined;
    readonly intervalMs?: number | undefined;
    readonly leaseMs?: number | undefined;
  };
  /** How the client commands (put, get, import …) find the service. */
  readonly client: {
    readonly url?: string | undefined;
    readonly tokenFile?: string | undefined;
    readonly timeoutMs: number;
    readonly allowPlainHttp: boolean;
  };
  readonly log: { readonly level: LogLevel };
}

/** What a configuration file holds: the same settings, every one of which may be left out. */
export type ConfigInput = {
  readonly [Group in Exclude<keyof Config, "collections">]?: Config[Group] extends object
    ? Partial<Config[Group]>
    : Config[Group];
} & { readonly collections?: Readonly<Record<string, CollectionInput>> };

/** What a file declares of a collection: normalisers also by their names. */
export type CollectionInput = Omit<CollectionOptions, "fields"> & {
  readonly fields?: Readonly<Record<string, FieldInput>>;
};

/** The number of wraps that a write must and should have, for so many regions. */
export function wrapPolicy(config: Config, regionCount: number): { readonly minimum: number; readonly target: number } {
  const target = config.keys.target ?? regionCount;
  return { minimum: config.keys.minimum ?? Math.min(2, target), target };
}
