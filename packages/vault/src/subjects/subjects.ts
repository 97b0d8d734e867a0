/**
 * The people of a vault: whether they may be read and written about, which records are about them, and a new key for
 * somebody. What is changed here holds in all processes at once, for the store says it with every read and write.
 */
import { mapBounded } from "@strongroom/base/work";
import { parseTenant } from "../collections/declaration.ts";
import { VaultError } from "../errors.ts";
import { DEFAULT_TENANT } from "../keys/key-binding.ts";
import type { SubjectKeys, Tenant } from "../keys/subject-keys.ts";
import type { Dependencies } from "../limits.ts";
import type { Collection, RecordId, Subject } from "../records/address.ts";
import { DEFAULT_LIST_LIMIT, failsTheList, positionAfter } from "../records/pages.ts";
import type { ListOptions } from "../records/pages.ts";
import { page, requirePageLimit } from "../records/paging.ts";
import { subjectClosed, whoIs } from "../records/people.ts";
import type { Known } from "../records/people.ts";
import { requireKeyStore } from "../records/version.ts";
import { parseName } from "../records/whom.ts";
import type { SubjectId, SubjectRecord, SubjectScope, SubjectState } from "../stores/subjects.ts";

/** Which tenant's person, and how long it may take. */
export interface SubjectOptions {
  /** Left out: `default`. */
  readonly tenant?: string;
  readonly signal?: AbortSignal;
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
   * wrote.
   *
   * @throws VaultError `subject-erased`
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
  restrict(name: string, options?: SubjectOptions): Promise<SubjectState>;
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

type SubjectDependencies = Pick<Dependencies, "store" | "keys" | "subjectKeys" | "rowAddresses" | "limits">;

/** Somebody as a call names them. */
interface Named {
  readonly name: Subject;
  readonly tenant: Tenant;
  readonly signal: AbortSignal | undefined;
}

function named(name: string, { tenant, signal }: SubjectOptions): Named {
  return { name: parseName(name), tenant: tenant === undefined ? DEFAULT_TENANT : parseTenant(tenant), signal };
}

/** `vault.subjects`, of options that were read. */
export function subjectsOf(dependencies: SubjectDependencies): Subjects {
  const { store, keys } = dependencies;
  const known = async ({ signal, ...who }: Named): Promise<{ found: Known | null; keysOfPeople: SubjectKeys }> => {
    const keysOfPeople = requireKeyStore(dependencies.subjectKeys);
    return { found: await whoIs(dependencies, keysOfPeople, who, signal), keysOfPeople };
  };
  return {
    state: async (name, options = {}) => {
      await keys.requireReader();
      const { found } = await known(named(name, options));
      return found === null ? null : (found.row?.state ?? "active");
    },
    restrict: async (name, options = {}) => {
      await keys.requireWriter();
      const who = named(name, options);
      const { found, keysOfPeople } = await known(who);
      const id = found?.id ?? (await madeKnown(keysOfPeople, who));
      const state = await store.subjects.setState({ id, from: ["active", "restricted"], to: "restricted" });
      // Not needed for what the store says: a key that nobody may use is not kept in memory.
      keysOfPeople.forget(id);
      if (state !== "restricted") throw subjectClosed("erased");
      return state;
    },
    release: async (name, options = {}) => {
      await keys.requireWriter();
      const { found } = await known(named(name, options));
      if (found === null) return "active";
      const state = await store.subjects.setState({ id: found.id, from: ["active", "restricted"], to: "active" });
      if (state !== "active") throw subjectClosed("erased");
      return state;
    },
    renewKey: async (name, options = {}) => {
      await keys.requireWriter();
      const who = named(name, options);
      const { found, keysOfPeople } = await known(who);
      const row = found?.row ?? null;
      if (row === null) throw new VaultError("subject-absent", "Nobody who was written about has that name");
      if (row.state !== "active") throw subjectClosed(row.state);
      for (const [scope, ordinal] of Object.entries(row.ordinals))
        if (ordinal > 0) await keysOfPeople.renew(row.id, scope as SubjectScope, who.signal);
    },
    records: async (name, options = {}) => {
      await keys.requireReader();
      const { cursor, limit = DEFAULT_LIST_LIMIT, signal } = options;
      requirePageLimit(limit, dependencies.limits.listItems);
      const { found, keysOfPeople } = await known(named(name, options));
      const id = found?.id ?? null;
      const after = cursor === undefined ? null : positionAfter(SUBJECT_FORMAT, id ?? "", cursor);
      const records = id === null ? [] : await store.subjects.records(id, { after, limit: limit + 1 });
      const ids = await mapBounded(records, dependencies.limits.batchConcurrency, (record) =>
        ownId(dependencies, keysOfPeople, record, signal),
      );
      const rows = records.map((record, index) => ({ ...record, id: ids[index] ?? null }));
      return page(rows, limit, {
        show: ({ collection, id: own }) => ({ item: { collection, id: own } }),
        cursorAfter: ({ position }) => [SUBJECT_FORMAT, id ?? "", Buffer.from(position).toString("base64url")],
      });
    },
  };
}

const SUBJECT_FORMAT = "subject-1";

/** An id for somebody of whom nothing was written yet. They get no key. */
async function madeKnown(keys: SubjectKeys, { name, tenant, signal }: Named): Promise<SubjectId> {
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
async function ownId(
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
