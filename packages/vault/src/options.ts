/**
 * The options of the vault and of its calls, a table each. Threat answered: a condition that is misspelt is a condition
 * that is not in force, and a write overwrites what somebody else has written.
 */
import { hasMethods, ownOptions } from "@strongroom/base/options";
import type { OptionRule } from "@strongroom/base/options";
import type { Keyring } from "@strongroom/envelope";
import { isKeyStore, isStore } from "./stores/is-store.ts";
import { SCOPES } from "./collections/declaration.ts";
import type { CollectionOptions } from "./collections/declaration.ts";
import type { AnyCollection } from "./collections/handle.ts";
import type { RestoredBackup } from "./audit/accept-restore.ts";
import { isPrincipal } from "./audit/actor.ts";
import type { Actor } from "./audit/auditor.ts";
import type { CheckpointSigner } from "./audit/signer.ts";
import type { AuditStatus } from "./audit/view.ts";
import type { Witness } from "./audit/witness.ts";
import type { LedgerCopy } from "./erasure/ledgers.ts";
import { VaultError } from "./errors.ts";
import type { KeySetInput } from "./keys/key-set.ts";
import type { KeyStore } from "./stores/key-store.ts";
import type { Scope } from "./stores/subjects.ts";
import { A_FUNCTION, ANYTHING, isCount, isText, reader, SIGNAL, YES_OR_NO } from "./option-rules.ts";
import type { Rules } from "./option-rules.ts";
import { parseNumbers } from "./limits.ts";
import type { VaultLimits } from "./limits.ts";
import type { ListOptions } from "./records/pages.ts";
import type { PutManyItem, PutManyOptions } from "./records/put-many.ts";
import type { ReadOptions, ShownFindOptions } from "./roles/read-options.ts";
import type { Roles } from "./roles/access.ts";
import type { RolesOptions } from "./roles/policy.ts";
import type { FindOptions } from "./search/find.ts";
import type { IndexApplyOptions, IndexPlanOptions } from "./search/vault-indexes.ts";
import type { WhomOptions } from "./records/whom.ts";
import type { Expectation, PutOptions, RemoveOptions } from "./records/write.ts";
import type { RepairOptions } from "./convergence/repairs.ts";
import type { ConsentOptions } from "./rights/consents.ts";
import type { ExposureOptions } from "./rights/exposure.ts";
import type { PersonExportOptions } from "./rights/person-export.ts";
import type { RetentionRunOptions, RetentionWorkerOptions } from "./retention/retention.ts";
import type { RectifyOptions } from "./rights/rectify.ts";
import type { AuditLog } from "./stores/audit-log.ts";
import type { Store } from "./stores/store.ts";
import type { RestrictOptions, SubjectListOptions, SubjectOptions } from "./subjects/subjects.ts";

/** The keys of people, of a vault that has a key store. */
export interface KeysOptions {
  /** Where they lie. The vault closes it. */
  readonly store: KeyStore;
  /** Of the collections that declare none; `subject` when left out. */
  readonly scope?: Scope;
  /**
   * Wraps the keys in the key store. Give it wrapping keys of its own, which wrap nothing else, so that destroying them
   * destroys every old backup of the key store. Left out: the vault's keyring, as generation 0, which is never
   * shredded.
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

/** The audit of a vault. */
export interface AuditOptions {
  /** Where its log lies. The vault closes it. */
  readonly log: AuditLog;
  /** Who does what is done without `vault.as`; `local` when left out. */
  readonly principal?: string;
  /** Signs checkpoints besides the vault's own key. */
  readonly signer?: CheckpointSigner;
  /** What remembers, apart from the stores, how far the log was. */
  readonly witnesses?: readonly Witness[];
  /**
   * Why stores that were set back are accepted as they are: begins another history of the log, on record. Left out:
   * such a vault is not opened. With the cut of the backup that was restored, the stores must be that backup's.
   */
  readonly acceptRestore?: string | RestoredBackup;
  /** What is accepted by itself: a tail of the record store of so many milliseconds, lost in a failover. */
  readonly rollback?: { readonly acceptTail: number };
  /** Told of what is found wrong while the vault is open. Nothing that is stored is in it. */
  readonly onAlarm?: (alarm: AuditAlarm) => void;
  /** Told of what keeps entries from the log for now, and is tried again: a store or a witness is away. */
  readonly onFault?: (error: unknown) => void;
}

/** How people are erased. */
export interface ErasureOptions {
  /** Copies of the ledger apart from the stores: read at every start, and added to with each erasure and hold. */
  readonly ledgers?: readonly LedgerCopy[];
  /** Milliseconds of the longest request that a process of the vault answers; two minutes when left out. */
  readonly longestRequestMs?: number;
  /** Whether backups of records and keys are made and set back together; what is not known is said to be so. */
  readonly backups?: "together" | "apart" | "unknown";
  /**
   * Whether a hold is lifted, and a collection read by callers who name an export (`Actor.export`), only when another
   * principal has approved it. An export is approved as `export`, of the collection's name.
   */
  readonly fourEyes?: boolean;
}

/** Something that was found wrong. */
export type AuditAlarm = AuditStatus["alarms"][number];

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
  /** What is declared of collections, by their names, or a list of what `defineCollection` made; only with `keys`. */
  readonly collections?: Readonly<Record<string, CollectionOptions>> | readonly AnyCollection[];
  /**
   * The audit: nothing is read or written without an entry in it, and no history of a record changes unseen. Only with
   * `keys`. Left out: the vault has none, and stores that have one are refused.
   */
  readonly audit?: AuditOptions;
  /**
   * What callers may who are given roles (`vault.as`), beside `read`, `write`, `audit` and `admin`, which are always
   * there. What no role of a caller allows is refused.
   */
  readonly roles?: RolesOptions;
  /** Of a vault with an audit. */
  readonly erasure?: ErasureOptions;
  /** Now. For tests that need another. */
  readonly clock?: () => Date;
  readonly limits?: Partial<VaultLimits>;
  /** Pays owed wraps in the background while the vault is open. Left out: what is owed stays owed. */
  readonly repair?: RepairOptions;
  /** Removes what is due by the collections' retention while the vault is open. Left out: `vault.retention` does. */
  readonly retention?: RetentionWorkerOptions;
}

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

/** Whom a write says that it is about. */
const WHOM: Rules<WhomOptions> = { subject: ANYTHING, about: ANYTHING, tenant: ANYTHING, repoint: YES_OR_NO };
const PUT: Rules<PutOptions> = { ...WHOM, expect: EXPECTATION, signal: SIGNAL };
const PUT_MANY: Rules<PutManyOptions> = { onExisting: ON_EXISTING, signal: SIGNAL };
const ITEM: Rules<PutManyItem> = { id: ANYTHING, document: ANYTHING, ...WHOM };
const GET: Rules<ReadOptions> = { version: ANYTHING, signal: SIGNAL, fields: ANYTHING, sealed: YES_OR_NO };
const REMOVE: Rules<RemoveOptions> = { expect: EXPECTATION };
const LIST: Rules<ListOptions> = { cursor: ANYTHING, limit: ANYTHING };
const FIND: Rules<ShownFindOptions> = { ...LIST, fields: ANYTHING, tenant: ANYTHING, signal: SIGNAL };
const COUNT_FOUND: Rules<Pick<FindOptions, "tenant" | "signal">> = { tenant: ANYTHING, signal: SIGNAL };
const ACTOR: Rules<Actor> = { principal: ANYTHING, purpose: ANYTHING, ticket: ANYTHING, export: ANYTHING };
const ROLES: Rules<Roles> = {
  roles: [
    (value) => Array.isArray(value) && value.length <= 256 && value.every((one) => typeof one === "string"),
    "a list of names of roles",
  ],
};
const SUBJECT: Rules<SubjectOptions> = { tenant: ANYTHING, signal: SIGNAL };
const RESTRICT: Rules<RestrictOptions> = { ...SUBJECT, except: ANYTHING };
const SUBJECT_LIST: Rules<SubjectListOptions> = { ...SUBJECT, ...LIST };
const PERSON_EXPORT: Rules<PersonExportOptions> = {
  ...SUBJECT,
  recipient: ANYTHING,
  versions: [(value) => value === "newest" || value === "all", 'one of "newest", "all"'],
};
const RECTIFY: Rules<RectifyOptions> = { ...SUBJECT, reason: ANYTHING };
const CONSENT: Rules<ConsentOptions> = { tenant: ANYTHING, evidence: ANYTHING };
const INDEX_PLAN: Rules<IndexPlanOptions> = { collection: ANYTHING, documents: YES_OR_NO, signal: SIGNAL };
const INDEX_ROTATION: Rules<Omit<IndexApplyOptions, "collection">> = { signal: SIGNAL, onProgress: A_FUNCTION };
const INDEX_APPLY: Rules<IndexApplyOptions> = { ...INDEX_ROTATION, collection: ANYTHING };
const EXPOSURE: Rules<ExposureOptions> = { since: ANYTHING, until: ANYTHING, names: YES_OR_NO };
const KEYRING: OptionRule = [(value) => hasMethods(value, "onEncrypt", "onDecrypt"), "a Keyring"];
const KEYS: Rules<KeysOptions> = {
  store: [isKeyStore, "a KeyStore"],
  scope: [(value) => SCOPES.includes(value as Scope), 'one of "record", "subject", "tenant"'],
  keyring: KEYRING,
  keySet: ANYTHING,
  next: ANYTHING,
  generation: [(value) => Number.isSafeInteger(value) && (value as number) >= 0, "a whole number from 0"],
  cache: ANYTHING,
};
const AUDIT: Rules<AuditOptions> = {
  log: [isAuditLog, "an AuditLog"],
  principal: [(value) => typeof value === "string", "a string"],
  signer: [(value) => hasMethods(value, "verifierOf", "sign"), "a CheckpointSigner"],
  witnesses: [
    (value) => Array.isArray(value) && value.every((one) => hasMethods(one, "examine", "record")),
    "a list of Witnesses",
  ],
  acceptRestore: [
    (value) => isText(value, 1_000) || isRestoredBackup(value),
    "a reason of 1 to 1,000 characters, or { reason, backup, cut, checkpoint, key }, and approvedBy: two principals",
  ],
  rollback: [
    (value) => {
      const { values, problems } = ownOptions(value, ["acceptTail"]);
      return problems.length === 0 && isCount(values["acceptTail"]);
    },
    "{ acceptTail: MILLISECONDS }, a whole number from 1",
  ],
  onAlarm: A_FUNCTION,
  onFault: A_FUNCTION,
};
const ERASURE: Rules<ErasureOptions> = {
  ledgers: [
    (value) => Array.isArray(value) && value.every((one) => hasMethods(one, "read", "append")),
    "a list of LedgerCopies",
  ],
  longestRequestMs: [isCount, "a whole number from 1"],
  backups: [(value) => BACKUPS.includes(value as "unknown"), 'one of "together", "apart", "unknown"'],
  fourEyes: YES_OR_NO,
};
/** What a timer of Node.js takes, at most. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;
const RETENTION: Rules<RetentionWorkerOptions> = {
  lookMs: [
    (value) => isCount(value) && (value as number) <= LONGEST_WAIT_MS,
    `a whole number from 1 to ${LONGEST_WAIT_MS}`,
  ],
  onFault: A_FUNCTION,
};
const RETENTION_RUN: Rules<RetentionRunOptions> = { signal: SIGNAL };
const VAULT: Rules<VaultOptions> = {
  store: [isStore, "a Store"],
  keyring: KEYRING,
  keySet: ANYTHING,
  next: ANYTHING,
  keys: ANYTHING,
  collections: ANYTHING,
  audit: ANYTHING,
  roles: ANYTHING,
  erasure: ANYTHING,
  clock: A_FUNCTION,
  limits: ANYTHING,
  repair: ANYTHING,
  retention: ANYTHING,
};

/** How each call reads its options: own properties, each once; a copy, which nobody else can change. */
export const readOptions: {
  readonly vault: (given: unknown) => VaultOptions;
  readonly put: (given: unknown) => PutOptions;
  readonly putMany: (given: unknown) => PutManyOptions;
  readonly item: (given: unknown) => PutManyItem;
  readonly get: (given: unknown) => ReadOptions;
  readonly remove: (given: unknown) => RemoveOptions;
  readonly list: (given: unknown) => ListOptions;
  readonly find: (given: unknown) => ShownFindOptions;
  readonly countFound: (given: unknown) => Pick<FindOptions, "tenant" | "signal">;
  readonly actor: (given: unknown) => Actor;
  readonly roles: (given: unknown) => Roles;
  readonly subject: (given: unknown) => SubjectOptions;
  readonly restrict: (given: unknown) => RestrictOptions;
  readonly subjectList: (given: unknown) => SubjectListOptions;
  readonly personExport: (given: unknown) => PersonExportOptions;
  readonly rectify: (given: unknown) => RectifyOptions;
  readonly consent: (given: unknown) => ConsentOptions;
  readonly exposure: (given: unknown) => ExposureOptions;
  readonly indexPlan: (given: unknown) => IndexPlanOptions;
  readonly indexApply: (given: unknown) => IndexApplyOptions;
  readonly indexRotation: (given: unknown) => Omit<IndexApplyOptions, "collection">;
  readonly retention: (given: unknown) => RetentionWorkerOptions;
  readonly retentionRun: (given: unknown) => RetentionRunOptions;
} = {
  vault: reader<VaultOptions>(VAULT, "the options of a vault", ["store", "keyring"]),
  put: reader<PutOptions>(PUT, "the options of put"),
  putMany: reader<PutManyOptions>(PUT_MANY, "the options of putMany", ["onExisting"]),
  item: reader<PutManyItem>(ITEM, "what an item of putMany has", ["id", "document"]),
  get: reader<ReadOptions>(GET, "the options of get"),
  remove: reader<RemoveOptions>(REMOVE, "the options of remove"),
  list: reader<ListOptions>(LIST, "the options of list"),
  find: reader<ShownFindOptions>(FIND, "the options of find"),
  countFound: reader<Pick<FindOptions, "tenant" | "signal">>(COUNT_FOUND, "the options of countFound"),
  actor: reader<Actor>(ACTOR, "an actor", ["principal"]),
  roles: reader<Roles>(ROLES, "what a caller may", ["roles"]),
  subject: reader<SubjectOptions>(SUBJECT, "the options of subjects"),
  restrict: reader<RestrictOptions>(RESTRICT, "the options of subjects.restrict"),
  subjectList: reader<SubjectListOptions>(SUBJECT_LIST, "the options of subjects.records"),
  personExport: reader<PersonExportOptions>(PERSON_EXPORT, "the options of rights.export", ["recipient"]),
  rectify: reader<RectifyOptions>(RECTIFY, "the options of rights.rectify", ["reason"]),
  consent: reader<ConsentOptions>(CONSENT, "the options of a consent"),
  exposure: reader<ExposureOptions>(EXPOSURE, "the options of rights.exposure", ["since"]),
  indexPlan: reader<IndexPlanOptions>(INDEX_PLAN, "the options of indexes.plan"),
  indexApply: reader<IndexApplyOptions>(INDEX_APPLY, "the options of indexes.apply"),
  indexRotation: reader<Omit<IndexApplyOptions, "collection">>(INDEX_ROTATION, "the options of indexes.rotateKey"),
  retention: reader<RetentionWorkerOptions>(RETENTION, "the options of retention"),
  retentionRun: reader<RetentionRunOptions>(RETENTION_RUN, "the options of vault.retention"),
};

/** Options of the keys with everything in them but key sets, which are parsed where they are used. */
export interface ParsedKeysOptions extends KeysOptions {
  readonly scope: Scope;
  readonly generation: number;
  readonly cache: KeyCacheSettings;
}

/**
 * Reads the options of the keys of people.
 *
 * @throws VaultError `vault-option-invalid`; `limit-invalid` for the cache's bounds
 */
export function parseKeys(given: unknown): ParsedKeysOptions {
  const values = readKeys(given);
  const { scope = "subject", keyring, keySet, next, generation = keyring === undefined ? 0 : 1 } = values;
  const problems: string[] = [];
  if (keyring === undefined && (keySet !== undefined || next !== undefined))
    problems.push("keySet and next are of keys.keyring: give it too");
  if (keyring === undefined && generation !== 0)
    problems.push("generation must be 0 without a keyring of their own: what else wraps under it is not shredded");
  if (keyring !== undefined && generation === 0)
    problems.push("generation must be 1 or more with a keyring of their own");
  if (problems.length > 0) throw new VaultError("vault-option-invalid", `keys: ${problems.join("; ")}`);
  return {
    ...values,
    scope,
    generation,
    cache: parseNumbers("keys.cache", "a bound", values.cache, DEFAULT_KEY_CACHE),
  };
}

const readKeys: (given: unknown) => KeysOptions = reader<KeysOptions>(KEYS, "the options of keys", ["store"]);

/**
 * Reads the options of the audit.
 *
 * @throws VaultError `vault-option-invalid`
 */
export function parseAudit(given: unknown): AuditOptions {
  const values = readAudit(given);
  const { witnesses, rollback, acceptRestore } = values;
  return {
    ...values,
    ...(witnesses === undefined ? {} : { witnesses: [...witnesses] }),
    ...(rollback === undefined ? {} : { rollback: { ...rollback } }),
    ...(typeof acceptRestore === "object" ? { acceptRestore: structuredClone(acceptRestore) } : {}),
  };
}

const readAudit: (given: unknown) => AuditOptions = reader<AuditOptions>(AUDIT, "the options of the audit", ["log"]);

const BACKUPS = ["together", "apart", "unknown"] as const;
const LONGEST_REQUEST_MS = 120_000;

/**
 * Reads the options of erasures.
 *
 * @throws VaultError `vault-option-invalid`
 */
export function parseErasure(given: unknown): Required<ErasureOptions> {
  const values = given === undefined ? {} : readErasure(given);
  const { ledgers = [], longestRequestMs = LONGEST_REQUEST_MS, backups = "unknown", fourEyes = false } = values;
  return { ledgers: [...ledgers], longestRequestMs, backups, fourEyes };
}

const readErasure: (given: unknown) => ErasureOptions = reader<ErasureOptions>(ERASURE, "the options of erasure");

function isAuditLog(value: unknown): boolean {
  if (!hasMethods(value, "state", "integrate", "latest", "entries", "find", "requireRoom", "ping", "close"))
    return false;
  const { gate, jobs } = value as Readonly<Record<string, unknown>>;
  return hasMethods(gate, "current", "bind") && hasMethods(jobs, "lease", "save", "finish");
}

function isRestoredBackup(value: unknown): boolean {
  const members = ["reason", "backup", "cut", "checkpoint", "key"];
  const { values, problems } = ownOptions(value, [...members, "approvedBy"]);
  if (problems.length > 0 || !isText(values["reason"], 1_000)) return false;
  return members.every((name) => isText(values[name], 1e6)) && isTwoPrincipals(values["approvedBy"]);
}

/** Of one principal twice nothing is said that two would say. */
function isTwoPrincipals(value: unknown): boolean {
  if (value === undefined) return true;
  if (!Array.isArray(value) || value.length !== 2 || value[0] === value[1]) return false;
  return value.every((one) => typeof one === "string" && isPrincipal(one));
}

/** @throws VaultError `vault-option-invalid` */
export function readItems(given: unknown): readonly PutManyItem[] {
  if (!Array.isArray(given)) throw new VaultError("vault-option-invalid", "The items of putMany must be a list");
  return Array.from(given as unknown[], readOptions.item);
}
