/**
 * The memory itself, apart from the stores over it, so that several of them share it as processes share a database; and
 * transactions in it that a caller begins and ends himself, as he would with a database's client.
 */
import { VaultError } from "../../errors.ts";
import { firstMoved } from "./outbox.ts";
import { Draft, MemoryTables } from "./tables.ts";

/** What stores of this folder work on; nobody else gets at it. */
export let tablesOf: (storage: MemoryStorage) => MemoryTables;

/**
 * The memory that stores share. It holds what they wrote for as long as it lives itself, also when all are closed.
 *
 * @example
 * ```ts
 * import { memoryStore, MemoryStorage } from "@strongroom/vault/memory";
 *
 * const storage = new MemoryStorage();
 * const [one, other] = [memoryStore({ storage }), memoryStore({ storage })];
 * await one.jobs.add("repair", ["0-255"]);
 * console.log((await other.jobs.list()).length); // prints: 1
 * ```
 */
export class MemoryStorage {
  readonly #tables: MemoryTables = new MemoryTables();

  static {
    tablesOf = (storage) => storage.#tables;
  }

  /**
   * Begins a transaction, when those that were begun before have ended. It holds the memory until it ends itself:
   * everyone else's changes, and a flip of the gate, wait for it; reads do not.
   *
   * @example
   * ```ts
   * import { memoryStore, MemoryStorage } from "@strongroom/vault/memory";
   *
   * const storage = new MemoryStorage();
   * const store = memoryStore({ storage });
   * const transaction = await storage.begin();
   * const units = await store.transaction?.(transaction);
   * console.log(await units?.apply([])); // prints: []
   * transaction.commit();
   * ```
   */
  begin(): Promise<MemoryTransaction> {
    return new Promise((resolve) => {
      const hold = (end: () => void): void => {
        resolve(new MemoryTransaction(this.#tables, end));
      };
      void this.#tables.change(() => new Promise<void>(hold));
    });
  }
}

/** What is made in a transaction, and in which memory. */
export let draftOf: (transaction: MemoryTransaction, tables: MemoryTables) => Draft;

/** A transaction of {@link MemoryStorage.begin}. */
export class MemoryTransaction {
  readonly #tables: MemoryTables;
  readonly #draft: Draft;
  readonly #end: () => void;
  #isOpen = true;

  /** @internal */
  constructor(tables: MemoryTables, end: () => void) {
    this.#tables = tables;
    this.#draft = new Draft(tables);
    this.#end = end;
  }

  static {
    draftOf = (transaction, tables) => {
      if (transaction.#tables !== tables) throw new VaultError("transaction-refused", "It is of another memory");
      return transaction.#requireOpen();
    };
  }

  /**
   * Makes everything that is in it.
   *
   * @throws VaultError `transaction-refused` when it has ended, or when somebody has written to a stream of its entries
   *   meanwhile: then nothing of it is made
   */
  commit(): void {
    const draft = this.#requireOpen();
    this.#finish();
    // Nobody waits for it who writes entries alone.
    if (firstMoved(this.#tables, draft.outbox.added) !== undefined)
      throw new VaultError("transaction-refused", "An entry's number was used meanwhile; nothing was made");
    draft.commit();
  }

  /**
   * Makes nothing of what is in it.
   *
   * @throws VaultError `transaction-refused` when it has ended
   */
  rollback(): void {
    this.#requireOpen();
    this.#finish();
  }

  #requireOpen(): Draft {
    if (!this.#isOpen) throw new VaultError("transaction-refused", "The transaction has ended");
    return this.#draft;
  }

  #finish(): void {
    this.#isOpen = false;
    this.#end();
  }
}
