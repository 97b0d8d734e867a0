/**
 * The people of a vault: whether they may be read and written about, which records are about them, and a new key for
 * somebody. What is changed here holds in all processes at once, for the store says it with every read and write.
 */
import { mapBounded } from "@strongroom/base/work";
import type { AuditAction } from "../audit/entry.ts";
import { parseTenant } from "../collections/declaration.ts";
import { VaultError } from "../errors.ts";
import { DEFAULT_TENANT } from "../keys/key-binding.ts";
import type { SubjectKeys, Tenant } from "../keys/subject-keys.ts";
import type { Dependencies } from "../limits.ts";
import type { Collection, RecordId, Subject } from "../records/address.ts";
import { asking, ENTRY_RECORDS } from "../records/asked.ts";
import type { Asked } from "../records/asked.ts";
import { DEFAULT_LIST_LIMIT, failsTheList, positionAfter } from "../records/pages.ts";
import type { ListOptions } from "../records/pages.ts";
import { page, requirePageLimit } from "../records/paging.ts";
import { subjectClosed, whoIs } from "../records/people.ts";
import type { Known } from "../records/people.ts";
import { exceptPurposes, parseExcept } from "../records/restrictions.ts";
import { requireKeyStore } from "../records/version.ts";
import { parseName } from "../records/whom.ts";
import type { SubjectId, SubjectRecord, SubjectScope, SubjectState } from "../stores/subjects.ts";

/** Which tenant's person, and how long it may take. */
export interface SubjectOptions {
  /** Left out: `default`. */
  readonly tenant?: string;
  readonly signal?: AbortSignal;
}

/** How somebody is restricted. */
export interface RestrictOptions extends SubjectOptions {
  /**
   * Purposes for which they are read all the same (`vault.as({ purpose })`): up to 8, and not written about for those
   * either. Only of a vault with an audit. Left out: none, whatever was said before.
   */
  readonly except?: readonly string[];
}

/** Which page of a person's records. */
export interface SubjectListOptions extends SubjectOptions, ListOptions {}

/** Records of a person, in the store's own order. */
export interface SubjectRecordsPage {
  /** `id` is null where the ids of the collection are sealed, and the seal of this one does not open. */
  readonly items: readonly { readonly collection: string; readonly id: string | null }[];
  /** Cursor of the next page, null on the last one. */
  readonly next: string | null;
}

/** The people of a vault with a key store, by the names that callers give them. */
export interface Subjects {
  /**
   * Whether somebody may be read and written about; null: nobody has that name.
   *
   * @throws VaultError `key-store-lost` in a vault without a key store, `subject-invalid`, `tenant-invalid`
   * @example
   * ```ts
   * import { randomBytes } from "node:crypto";
   * import { rawAesKeyring } from "@strongroom/envelope";
   * import { openVault } from "@strongroom/vault";
   * import { memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
   *
   * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
   * await using vault = await openVault({ store: memoryStore(), keyring, keys: { store: memoryKeyStore() } });
   * await vault.put({ collection: "people", id: "1" }, { name: "Ada" }, { subject: "ada@example.com" });
   * console.log(await vault.subjects.state("ada@example.com")); // prints: active
   * console.log(await vault.subjects.state("bob@example.com")); // prints: null
   * ```
   */
  state(name: string, options?: SubjectOptions): Promise<SubjectState | null>;
  /**
   * From now on nobody reads or writes about somebody, in no process; what is held of them stays. It waits for writes
   * under way. Of somebody who is not known yet it holds for what comes, and for what an earlier version of Strongroom
   * wrote. With `except` they are read for these purposes, and for no other one that an earlier call has named.
   *
   * @throws VaultError `subject-erased`, `vault-option-invalid`
   * @example
   * ```ts
   * import { randomBytes } from "node:crypto";
   * import { rawAesKeyring } from "@strongroom/envelope";
   * import { isVaultError, openVault } from "@strongroom/vault";
   * import { memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
   *
   * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
   * await using vault = await openVault({ store: memoryStore(), keyring, keys: { store: memoryKeyStore() } });
   * const ada = { collection: "people", id: "1" };
   * await vault.put(ada, { name: "Ada" }, { subject: "ada@example.com" });
   * await vault.subjects.restrict("ada@example.com");
   * const refused = await vault.get(ada).catch((error: unknown) => error);
   * console.log(isVaultError(refused) && refused.code); // prints: subject-restricted
   * console.log(await vault.subjects.release("ada@example.com")); // prints: active
   * ```
   */
  restrict(name: string, options?: RestrictOptions): Promise<SubjectState>;
  /** Lifts a restriction. @throws VaultError `subject-erased` */
  release(name: string, options?: SubjectOptions): Promise<SubjectState>;
  /**
   * Gives somebody a new version of each key of theirs that has sealed. It seals from now on; what was sealed before
   * still opens under the one of before.
   *
   * @throws VaultError `subject-absent`, `subject-restricted`, `subject-erased`; what making a key throws
   * @example
   * ```ts
   * import { randomBytes } from "node:crypto";
   * import { rawAesKeyring } from "@strongroom/envelope";
   * import { openVault } from "@strongroom/vault";
   * import { memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
   *
   * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
   * await using vault = await openVault({ store: memoryStore(), keyring, keys: { store: memoryKeyStore() } });
   * const ada = { collection: "people", id: "1" };
   * await vault.put(ada, { name: "Ada" }, { subject: "ada@example.com" });
   * await vault.subjects.renewKey("ada@example.com");
   * console.log((await vault.get(ada)).document["name"]); // prints: Ada
   * ```
   */
  renewKey(name: string, options?: SubjectOptions): Promise<void>;
  /**
   * Records that are, or have been, about somebody, by pages. What an earlier version of Strongroom wrote is not among
   * them until it is written again.
   *
   * @throws VaultError `cursor-invalid`, `limit-invalid`
   * @example
   * ```ts
   * import { randomBytes } from "node:crypto";
   * import { rawAesKeyring } from "@strongroom/envelope";
   * import { openVault } from "@strongroom/vault";
   * import { memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
   *
   * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
   * await using vault = await openVault({ store: memoryStore(), keyring, keys: { store: memoryKeyStore() } });
   * await vault.put({ collection: "orders", id: "7" }, { total: 5 }, { subject: "ada@example.com" });
   * const { items } = await vault.subjects.records("ada@example.com");
   * console.log(items); // prints: [ { collection: 'orders', id: '7' } ]
   * ```
   */
  records(name: string, options?: SubjectListOptions): Promise<SubjectRecordsPage>;
}

export type SubjectDependencies = Pick<
  Dependencies,
  "audit" | "store" | "keys" | "subjectKeys" | "rowAddresses" | "limits"
>;

/** Somebody as a call names them. */
export interface Named {
  readonly name: Subject;
  readonly tenant: Tenant;
  readonly signal: AbortSignal | undefined;
}

export function named(name: string, { tenant, signal }: SubjectOptions): Named {
  return { name: parseName(name), tenant: tenant === undefined ? DEFAULT_TENANT : parseTenant(tenant), signal };
}

/** How the options of these calls are read. */
export interface SubjectOptionReaders {
  readonly subject: (given: unknown) => SubjectOptions;
  readonly restrict: (given: unknown) => RestrictOptions;
  readonly subjectList: (given: unknown) => SubjectListOptions;
}

/** `vault.subjects`. Each call is told in the audit, whatever it comes to. */
export function subjectsOf(dependencies: SubjectDependencies, read: SubjectOptionReaders): Subjects {
  const { audit } = dependencies;
  const about =
    <Result>(action: AuditAction, work: (on: SubjectDependencies, who: Named, asked: Asked) => Promise<Result>) =>
    (name: string, options: SubjectOptions = {}): Promise<Result> =>
      asking(audit, action, (asked) => work(dependencies, named(name, read.subject(options)), asked));
  return {
    state: about("state", state),
    restrict: (name, options = {}) =>
      asking(audit, "restrict", (asked) => {
        const { except, ...of } = read.restrict(options);
        return restrict(dependencies, named(name, of), { except: parseExcept(except), asked });
      }),
    release: about("release", release),
    renewKey: about("renew-key", renewKey),
    records: (name, options = {}) =>
      asking(audit, "people-listed", (asked) => recordsOf(dependencies, name, read.subjectList(options), asked)),
  };
}

/** Whom a name means now; whoever it is, the call is about them. */
export async function known(
  dependencies: SubjectDependencies,
  { signal, ...who }: Named,
  asked: Asked,
): Promise<{ readonly found: Known | null; readonly keysOfPeople: SubjectKeys }> {
  const keysOfPeople = requireKeyStore(dependencies.subjectKeys);
  const found = await whoIs(dependencies, keysOfPeople, who, signal);
  if (found !== null) asked.isAbout([found.id]);
  return { found, keysOfPeople };
}

async function state(dependencies: SubjectDependencies, who: Named, asked: Asked): Promise<SubjectState | null> {
  await dependencies.keys.requireReader();
  const { found } = await known(dependencies, who, asked);
  await asked.tell("state", "done", { people: found === null ? [] : [found.id] });
  return found === null ? null : (found.row?.state ?? "active");
}

async function restrict(
  dependencies: SubjectDependencies,
  who: Named,
  { except, asked }: { readonly except: readonly string[]; readonly asked: Asked },
): Promise<SubjectState> {
  const { store, keys } = dependencies;
  if (except.length > 0 && !asked.isAudited)
    throw new VaultError("vault-option-invalid", "For what somebody is read is known in a vault with an audit only");
  await keys.requireWriter();
  const { found, keysOfPeople } = await known(dependencies, who, asked);
  const id = found?.id ?? (await madeKnown(keysOfPeople, who));
  await asked.tellKeysMade();
  const details = except.length === 0 ? {} : { except: except.join(" ") };
  return asked.act("restrict", { people: [id], details }, async () => {
    // First: of who is restricted already, what no longer excuses is over before this resolves.
    await exceptPurposes(store.notes, id, except);
    const is = await store.subjects.setState({ id, from: ["active", "restricted"], to: "restricted" });
    // Not needed for what the store says: a key that nobody may use is not kept in memory.
    keysOfPeople.forget(id);
    if (is !== "restricted") throw subjectClosed("erased");
    return is;
  });
}

async function release(dependencies: SubjectDependencies, who: Named, asked: Asked): Promise<SubjectState> {
  const { store, keys } = dependencies;
  await keys.requireWriter();
  const { found } = await known(dependencies, who, asked);
  const people = found === null ? [] : [found.id];
  return asked.act("release", { people }, async () => {
    if (found === null) return "active";
    const is = await store.subjects.setState({ id: found.id, from: ["active", "restricted"], to: "active" });
    if (is !== "active") throw subjectClosed("erased");
    // Last: until they are released it holds.
    await exceptPurposes(store.notes, found.id, []);
    return is;
  });
}

async function renewKey(dependencies: SubjectDependencies, who: Named, asked: Asked): Promise<void> {
  await dependencies.keys.requireWriter();
  const { found, keysOfPeople } = await known(dependencies, who, asked);
  const row = found?.row ?? null;
  if (row === null) throw new VaultError("subject-absent", "Nobody who was written about has that name");
  if (row.state !== "active") throw subjectClosed(row.state);
  await asked.act("renew-key", { people: [row.id] }, async () => {
    for (const [scope, ordinal] of Object.entries(row.ordinals))
      if (ordinal > 0) await keysOfPeople.renew(row.id, scope as SubjectScope, who.signal);
  });
}

async function recordsOf(
  dependencies: SubjectDependencies,
  name: string,
  { cursor, limit = DEFAULT_LIST_LIMIT, ...of }: SubjectListOptions,
  asked: Asked,
): Promise<SubjectRecordsPage> {
  const { store, keys, limits } = dependencies;
  await keys.requireReader();
  requirePageLimit(limit, limits.listItems);
  const { found, keysOfPeople } = await known(dependencies, named(name, of), asked);
  const id = found?.id ?? null;
  const after = cursor === undefined ? null : positionAfter(SUBJECT_FORMAT, id ?? "", cursor);
  const records = id === null ? [] : await store.subjects.records(id, { after, limit: limit + 1 });
  const ids = await mapBounded(records, limits.batchConcurrency, (record) =>
    ownId(dependencies, keysOfPeople, record, of.signal),
  );
  const rows = records.map((record, index) => ({ ...record, id: ids[index] ?? null, rowId: record.id }));
  await tellRecords(rows.slice(0, limit), id, asked);
  return page(rows, limit, {
    show: ({ collection, id: own }) => ({ item: { collection, id: own } }),
    cursorAfter: ({ position }) => [SUBJECT_FORMAT, id ?? "", Buffer.from(position).toString("base64url")],
  });
}

/** Which records are told to be about somebody; at least one entry, also where there are none. */
async function tellRecords(
  rows: readonly { readonly collection: string; readonly id: string | null; readonly rowId: string }[],
  person: SubjectId | null,
  asked: Asked,
): Promise<void> {
  const people = person === null ? [] : [person];
  for (let start = 0; start === 0 || start < rows.length; start += ENTRY_RECORDS) {
    const concerned = rows.slice(start, start + ENTRY_RECORDS).map(({ collection, id, rowId }) => ({
      row: { collection: collection as Collection, id: rowId as RecordId },
      id: id as RecordId | null,
      version: null,
      scheme: person === null ? null : (2 as const),
      subject: person as string as Subject | null,
      about: [],
    }));
    await asked.tell("people-listed", "done", { people, concerned });
  }
}

const SUBJECT_FORMAT = "subject-1";

/** An id for somebody of whom nothing was written yet. They get no key. */
export async function madeKnown(keys: SubjectKeys, { name, tenant, signal }: Named): Promise<SubjectId> {
  const whom = { kind: "name", name, tenant } as const;
  const [sealer] = await keys.sealers([{ scope: "record", whom, also: [] }], signal);
  if (sealer === undefined) throw new VaultError("encryption-failed", "The keys gave no answer for a person");
  if (sealer instanceof Error) throw sealer;
  using held = sealer;
  return held.subject as string as SubjectId;
}

/**
 * The record's own id: the row's, unless that is a keyed hash. Null: its seal does not open, as one that another person
 * of the record made who was erased, or that a hand in the database put there.
 */
export async function ownId(
  { rowAddresses }: Pick<Dependencies, "rowAddresses">,
  keys: SubjectKeys,
  { collection, id, sealedId }: SubjectRecord,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  if (!rowAddresses.isSealed(collection as Collection)) return id;
  if (sealedId === null) return null;
  try {
    return await keys.openId(sealedId, { collection: collection as Collection, rowId: id as RecordId }, signal);
  } catch (error) {
    if (failsTheList(error)) throw error;
    return null;
  }
}
