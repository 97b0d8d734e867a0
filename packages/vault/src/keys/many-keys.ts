/**
 * Keys of a batch: several are made or opened at a time, and fewer when the keyring has no room for as many. A batch
 * that gave up instead would throw away the keys that it has made, and would ask for all of them once more.
 */
import { setTimeout as delay } from "node:timers/promises";
import { isVaultError, VaultError } from "../errors.ts";

/**
 * Most keys of one batch at a time: as many calls as the multi-region keyring makes to a region at once to begin with.
 * So a batch alone finds room, and no region on a busy machine is asked for so much that it looks slow.
 */
const KEYS_AT_ONCE = 8;

/** After so many keys without a refusal there may be room for one more at a time. */
const ONE_MORE_AFTER = 16;

/** Tries of a key for which there is no room although nothing else of the batch is under way. */
const TRIES_ALONE = 6;

/** Longest pause after the first of them, in milliseconds; twice as long after each further one. */
const FIRST_PAUSE_MS = 100;

/**
 * Does `work`, which makes or opens a key, for each item, and gives the results in the order of the items. What the
 * keyring refuses for want of room is done later, with one fewer at a time. What is asked for alone is refused at once:
 * its caller loses nothing by trying again.
 *
 * @throws VaultError `keyring-overloaded` after the last try, `aborted`; the first failure of the work. Everything that
 *   had begun has ended then.
 */
export async function mapKeys<Item, Result>(
  items: readonly Item[],
  signal: AbortSignal | undefined,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const batch = new KeyBatch(items, signal, work);
  return await batch.run();
}

class KeyBatch<Item, Result> {
  readonly #items: readonly Item[];
  readonly #signal: AbortSignal | undefined;
  readonly #work: (item: Item, index: number) => Promise<Result>;
  readonly #results: Result[];
  readonly #failures: unknown[] = [];
  readonly #begun: Promise<void>[] = [];
  /** Indexes: of those that were refused, and of the first that was not taken yet. */
  readonly #refused: number[] = [];
  #fresh = 0;
  #workers = 0;
  #doneSinceRefusal = 0;
  #triesAlone = 0;

  constructor(
    items: readonly Item[],
    signal: AbortSignal | undefined,
    work: (item: Item, index: number) => Promise<Result>,
  ) {
    this.#items = items;
    this.#signal = signal;
    this.#work = work;
    this.#results = new Array<Result>(items.length);
  }

  async run(): Promise<Result[]> {
    for (let n = 0; n < Math.min(KEYS_AT_ONCE, this.#items.length); n++) this.#begun.push(this.#worker());
    // Others are added while these are waited for.
    for (const worker of this.#begun) await worker;
    if (this.#failures.length > 0) throw this.#failures[0];
    return this.#results;
  }

  async #worker(): Promise<void> {
    this.#workers++;
    for (let index = this.#next(); index !== null; index = this.#next()) {
      try {
        this.#results[index] = await this.#work(this.#items[index] as Item, index);
      } catch (error) {
        if (isOverloaded(error)) {
          this.#refused.push(index);
          this.#doneSinceRefusal = 0;
          // Nothing is awaited between the two: of workers that are refused together, the last one stays.
          if (this.#workers > 1) break;
          await this.#waitAlone(error);
        } else this.#failures.push(error);
        continue;
      }
      this.#done();
    }
    this.#workers--;
  }

  /** Null: there is nothing left, or all is in vain. */
  #next(): number | null {
    if (this.#failures.length > 0) return null;
    return this.#refused.pop() ?? (this.#fresh < this.#items.length ? this.#fresh++ : null);
  }

  #done(): void {
    this.#triesAlone = 0;
    const isMore = ++this.#doneSinceRefusal % ONE_MORE_AFTER === 0 && this.#workers < KEYS_AT_ONCE;
    if (isMore) this.#begun.push(this.#worker());
  }

  async #waitAlone(error: unknown): Promise<void> {
    if (this.#items.length === 1 || ++this.#triesAlone === TRIES_ALONE) this.#failures.push(error);
    else await this.#pause(FIRST_PAUSE_MS * 2 ** (this.#triesAlone - 1) * (0.5 + Math.random() / 2));
  }

  async #pause(ms: number): Promise<void> {
    try {
      await delay(ms, undefined, this.#signal === undefined ? {} : { signal: this.#signal });
    } catch (cause) {
      this.#failures.push(new VaultError("aborted", "The caller gave up", { cause }));
    }
  }
}

function isOverloaded(error: unknown): boolean {
  return isVaultError(error) && error.code === "keyring-overloaded";
}
