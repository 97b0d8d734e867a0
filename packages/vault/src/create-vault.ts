/**
 * A vault in an application of one's own: the collections are declared where it is opened, each is at hand by its name
 * with the types of its declaration, and records go into the application's own transactions. Everything else is
 * {@link openVault}: the same options, the same guarantees.
 */
import type { Actor } from "./audit/auditor.ts";
import type { CollectionOptions } from "./collections/declaration.ts";
import { defineCollection } from "./collections/handle.ts";
import type { AnyCollection, CollectionHandle, DocumentOf, FoundBy, InputOf } from "./collections/handle.ts";
import { openVault } from "./open-vault.ts";
import type { VaultOptions } from "./options.ts";
import type { Roles } from "./roles/access.ts";
import type { TypedCollection } from "./records/collection.ts";
import { inTransaction } from "./transaction.ts";
import type { PreparedBefore, TransactionPool } from "./transaction.ts";
import type { ActingVault, Vault } from "./vault.ts";

/** Collections by their names. */
export type Declared = Readonly<Record<string, CollectionOptions>>;

/** The collection of a declaration. */
export type DeclaredCollection<Options extends CollectionOptions> = TypedCollection<
  DocumentOf<Options["schema"]>,
  InputOf<Options["schema"]>,
  FoundBy<Options["fields"]>
>;

/** What an application has in place of `vault.collection(…)`. */
export interface OfApplication<Collections extends Declared> {
  /** The declared collections, by their names. */
  readonly records: { readonly [Name in keyof Collections]: DeclaredCollection<Collections[Name]> };
  /**
   * Writes of the application and of the vault in one transaction of the application's PostgreSQL database: both are
   * there, or neither. The records lie in the same database, so the vault's store is a `postgresStore`.
   *
   * `prepare` is waited for *before* a connection is taken: keys are asked for while nobody holds one. Within the
   * transaction there is `work`, and then the vault's statements. Nothing of it is done again: after `record-contended`
   * or a serialization failure the caller may call it once more.
   *
   * @param pool the application's own, of `pg`. It may be as small as it likes: a caller takes one connection of it
   * @throws what `prepare` and `work` throw; VaultError as `vault.withTransaction` does: it was rolled back.
   * @example
   * ```ts
   * import type { Pool } from "pg";
   * import { createVault } from "@strongroom/vault";
   *
   * type App = Awaited<ReturnType<typeof createVault<{ customers: object }>>>;
   *
   * async function signUp(vault: App, pool: Pool, id: string, name: string): Promise<void> {
   *   await vault.transaction(
   *     pool,
   *     () => [vault.records.customers.prepare(id, { name }, { expect: { kind: "absent" } })],
   *     (client) => client.query("insert into users (id) values ($1)", [id]),
   *   );
   * }
   * console.log(typeof signUp); // prints: function
   * ```
   */
  transaction<Client extends TransactionClient, Result>(
    pool: TransactionPool<Client>,
    prepare: () => PreparedBefore,
    work: (client: Client) => Promise<Result>,
  ): Promise<Result>;
}

type TransactionClient = Awaited<ReturnType<TransactionPool["connect"]>>;

/** An open vault with declared collections. */
export interface AppVault<Collections extends Declared> extends Omit<Vault, "as">, OfApplication<Collections> {
  /** The same on behalf of somebody. @throws VaultError as `vault.as` does */
  as(actor: Actor, roles?: Roles): ActingVault & OfApplication<Collections>;
}

/** As of `openVault`, with the collections by their names. */
export interface CreateVaultOptions<Collections extends Declared> extends Omit<VaultOptions, "collections"> {
  readonly collections: Collections;
}

/**
 * Opens a vault with declared collections. Close it, or declare it with `await using`: that also closes the stores.
 *
 * @throws VaultError as `openVault` does
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { createVault } from "@strongroom/vault";
 * import { memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
 * import { email } from "@strongroom/vault/normalisers";
 *
 * await using vault = await createVault({
 *   store: memoryStore(),
 *   keyring: rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) }),
 *   keys: { store: memoryKeyStore() },
 *   collections: { customers: { fields: { email: { find: email(), unique: true } } } },
 * });
 * const { customers } = vault.records;
 * await customers.put("42", { email: "Ada@Example.com" });
 * const { items } = await customers.find({ email: "ada@example.com" });
 * console.log(items[0]?.id); // prints: 42
 * ```
 */
export async function createVault<const Collections extends Declared>(
  options: CreateVaultOptions<Collections>,
): Promise<AppVault<Collections>> {
  const handles = Object.entries(options.collections).map(([name, declared]) => defineCollection(name, declared));
  const vault = await openVault({ ...options, collections: handles });
  const as = vault.as.bind(vault);
  return Object.assign(ofApplication<Vault, Collections>(vault, handles), {
    as: (actor: Actor, roles?: Roles) => ofApplication<ActingVault, Collections>(as(actor, roles), handles),
  });
}

function ofApplication<Acting extends ActingVault, Collections extends Declared>(
  vault: Acting,
  handles: readonly AnyCollection[],
): Acting & OfApplication<Collections> {
  type Records = OfApplication<Collections>["records"];
  const recordsOf = (): Records => {
    const typed = handles as readonly CollectionHandle[];
    const records = Object.fromEntries(typed.map((handle) => [handle.name, vault.collection(handle)]));
    // The compiler cannot see that each name has the types of its own declaration.
    return Object.freeze(records) as unknown as Records;
  };
  let records: Records | null = null;
  const own: OfApplication<Collections> = {
    // Made when they are asked for: each request has a vault on behalf of its caller.
    get records() {
      records ??= recordsOf();
      return records;
    },
    transaction: (pool, prepare, work) => inTransaction(vault, pool, { prepare, work }),
  };
  return Object.defineProperties(vault, Object.getOwnPropertyDescriptors(own)) as Acting & OfApplication<Collections>;
}
