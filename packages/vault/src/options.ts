/**
 * The options of the vault and of its calls, a table each. Threat answered: a condition that is misspelt is a condition
 * that is not in force, and a write overwrites what somebody else has written.
 */
import { hasMethods, ownOptions, ruledOptions } from "@strongroom/base/options";
import type { OptionRule } from "@strongroom/base/options";
import type { Keyring } from "@strongroom/envelope";
import type { CollectionOptions } from "./collections/declaration.ts";
import { VaultError } from "./errors.ts";
import type { KeySetInput } from "./keys/key-set.ts";
import type { KeyStore } from "./stores/key-store.ts";
import type { Scope } from "./stores/subjects.ts";
import type { VaultLimits } from "./limits.ts";
import type { ListOptions } from "./records/pages.ts";
import type { PutManyItem, PutManyOptions } from "./records/put-many.ts";
import type { GetOptions } from "./records/read.ts";
import type { Expectation, PutOptions, RemoveOptions } from "./records/write.ts";
import type { RepairOptions } from "./repair/repairs.ts";
import type { Store } from "./stores/store.ts";

/** The keys of people, of a vault that has a key store. */
export interface KeysOptions {
  /** Where they lie. The vault closes it. */
  readonly store: KeyStore;
  /** Of the collections that declare none; `subject` when left out. */
  readonly scope?: Scope;
  /**
   * Wraps the keys in the key store. Give it wrapping keys of its own, which wrap nothing else, so that destroying them
   * destroys every old backup of the key store. Left out: the vault's keyring, as generation 0, which is never shredded.
   */
  readonly keyring?: Keyring;
  /** Names of the wrapping keys in `keys.keyring`, as `keySet`. */
  readonly keySet?: readonly string[];
  /** The key set of the key store that is to be in force next. */
  readonly next?: KeySetInput;
  /** Shredding generation of `keyring`; 1 when left out, and 0 without a keyring of its own. */
  readonly generation?: number;
  /** How long, how often and how many opened keys are kept in memory. */
  readonly cache?: Partial<KeyCacheSettings>;
}

/** Bounds of the opened keys in memory: whole numbers from 1. */
export interface KeyCacheSettings {
  /** Milliseconds that a key is used before its wraps are read and opened again. */
  readonly maxAgeMs: number;
  /** Messages that a key seals or opens before it is opened again. */
  readonly maxUses: number;
  /** Keys in memory. */
  readonly capacity: number;
}

/** Five minutes; no bound of uses; ten thousand people. */
export const DEFAULT_KEY_CACHE: KeyCacheSettings = {
  maxAgeMs: 300_000,
  maxUses: Number.MAX_SAFE_INTEGER,
  capacity: 10_000,
};

/** What a vault is made of. */
export interface VaultOptions {
  /** Where the records lie. The vault closes it. */
  readonly store: Store;
  /** Wraps the data key of every version; the regions and their minimum are its affair. */
  readonly keyring: Keyring;
  /**
   * Names of the wrapping keys in `keyring`: of keys in AWS KMS, their ARNs, in any order. The store keeps a digest of
   * them, and lets no vault write that has others. Left out: whoever opens the store without names writes to it.
   */
  readonly keySet?: readonly string[];
  /**
   * The key set that is to be in force next. What is under it is read already; written under it is once
   * `vault.flipKeySet()` has put it in force. Give it to every process before that.
   */
  readonly next?: KeySetInput;
  /**
   * The keys of people. Left out: there are none, each version's data key is wrapped by `keyring` itself, and the KMS
   * and the database have in clear what callers call people.
   */
  readonly keys?: KeysOptions;
  /** What is declared of collections, by their names; only with `keys`. */
  readonly collections?: Readonly<Record<string, CollectionOptions>>;
  /** Now. For tests that need another. */
  readonly clock?: () => Date;
  readonly limits?: Partial<VaultLimits>;
  /** Pays owed wraps in the background while the vault is open. Left out: what is owed stays owed. */
  readonly repair?: RepairOptions;
}

type Rules<Options> = Readonly<Record<keyof Options & string, OptionRule>>;

/** Parsed where it is used, with an error of its own. */
const ANYTHING: OptionRule = [() => true, "anything"];
const A_FUNCTION: OptionRule = [(value) => typeof value === "function", "a function"];
const SIGNAL: OptionRule = [
  (value) =>
    hasMethods(value, "addEventListener", "removeEventListener") &&
    typeof Reflect.get(value as object, "aborted") === "boolean",
  "an AbortSignal",
];

/** Kind of an expectation -> what is in it beside its kind. */
const EXPECTATIONS: Readonly<Record<Expectation["kind"], readonly string[]>> = {
  any: [],
  absent: [],
  present: [],
  version: ["version"],
};

const EXPECTATION: OptionRule = [
  (value) => {
    const { values, problems } = ownOptions(value, ["kind", "version"]);
    const { kind } = values;
    if (problems.length > 0 || typeof kind !== "string" || !Object.hasOwn(EXPECTATIONS, kind)) return false;
    return Object.keys(values).length === 1 + EXPECTATIONS[kind as Expectation["kind"]].length;
  },
  `one of ${Object.entries(EXPECTATIONS)
    .map(([kind, more]) => `{ ${[`kind: "${kind}"`, ...more].join(", ")} }`)
    .join(", ")}`,
];

const ON_EXISTING: OptionRule = [
  (value) => value === "replace" || value === "keep" || value === "compare",
  'one of "replace", "keep", "compare"',
];

const PUT: Rules<PutOptions> = { subject: ANYTHING, expect: EXPECTATION, signal: SIGNAL };
const PUT_MANY: Rules<PutManyOptions> = { onExisting: ON_EXISTING, signal: SIGNAL };
const ITEM: Rules<PutManyItem> = { id: ANYTHING, document: ANYTHING, subject: ANYTHING };
const GET: Rules<GetOptions> = { version: ANYTHING, signal: SIGNAL };
const REMOVE: Rules<RemoveOptions> = { expect: EXPECTATION };
const LIST: Rules<ListOptions> = { cursor: ANYTHING, limit: ANYTHING };
const VAULT: Rules<VaultOptions> = {
  store: [isStore, "a Store"],
  keyring: [(value) => hasMethods(value, "onEncrypt", "onDecrypt"), "a Keyring"],
  keySet: ANYTHING,
  next: ANYTHING,
  clock: A_FUNCTION,
  limits: ANYTHING,
  repair: ANYTHING,
};

/** How each call reads its options: own properties, each once; a copy, which nobody else can change. */
export const readOptions: {
  readonly vault: (given: unknown) => VaultOptions;
  readonly put: (given: unknown) => PutOptions;
  readonly putMany: (given: unknown) => PutManyOptions;
  readonly item: (given: unknown) => PutManyItem;
  readonly get: (given: unknown) => GetOptions;
  readonly remove: (given: unknown) => RemoveOptions;
  readonly list: (given: unknown) => ListOptions;
} = {
  vault: reader<VaultOptions>(VAULT, "the options of a vault", ["store", "keyring"]),
  put: reader<PutOptions>(PUT, "the options of put"),
  putMany: reader<PutManyOptions>(PUT_MANY, "the options of putMany", ["onExisting"]),
  item: reader<PutManyItem>(ITEM, "what an item of putMany has", ["id", "document"]),
  get: reader<GetOptions>(GET, "the options of get"),
  remove: reader<RemoveOptions>(REMOVE, "the options of remove"),
  list: reader<ListOptions>(LIST, "the options of list"),
};

function isStore(value: unknown): boolean {
  if (!hasMethods(value, "requireRoom", "ping", "close")) return false;
  const { records, gate, inventory, jobs, capabilities } = value as Readonly<Record<string, unknown>>;
  return (
    hasMethods(records, "heads", "read", "apply", "outcome") &&
    hasMethods(gate, "current", "flip", "drained") &&
    hasMethods(inventory, "sets", "list", "rewrap") &&
    hasMethods(jobs, "lease", "save", "finish") &&
    typeof capabilities === "object" &&
    capabilities !== null
  );
}

function reader<Options extends object>(
  rules: Rules<Options>,
  what: string,
  needed: readonly (keyof Options & string)[] = [],
): (given: unknown) => Options {
  return (given) => {
    const { values, problems } = ruledOptions(given, rules, { what, needed });
    if (problems.length > 0) throw new VaultError("vault-option-invalid", `${what}: ${problems.join("; ")}`);
    return values as Options;
  };
}

/** @throws VaultError `vault-option-invalid` */
export function readItems(given: unknown): readonly PutManyItem[] {
  if (!Array.isArray(given)) throw new VaultError("vault-option-invalid", "The items of putMany must be a list");
  return Array.from(given as unknown[], readOptions.item);
}
