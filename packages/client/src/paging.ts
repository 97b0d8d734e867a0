/**
 * Listings that come in pages: as one sequence of items, page after page, or a page at a time.
 */

import { ClientError } from "./errors.ts";

/** What is there and cannot be given, because it is not as the service once stored it. */
export interface Damaged {
  /** As it lies in the database, cut and escaped: it need not be an id. */
  readonly id: string;
  readonly code: string;
  /** Of listings that go over several collections. */
  readonly collection?: string;
}

/** One page, and the cursor of the next; null on the last. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** What the page cannot give; left out without any. */
  readonly damaged?: readonly Damaged[] | undefined;
  readonly next: string | null;
}

/** Which page. */
export interface PageOptions {
  /** `next` of the page before; left out: the first page. */
  readonly cursor?: string | undefined;
  /** Most items of the page, 1 to 1000; left out: 100. */
  readonly limit?: number | undefined;
}

/**
 * Items in pages. `for await` gives every item and asks for the next page when it comes to it; what is written behind
 * the place where it is meanwhile is not seen. What cannot be given stops nothing else: when all the others are given,
 * `for await` ends with the error `records-damaged`, which names it.
 */
export interface Listing<Item> extends AsyncIterable<Item> {
  /** Every page, one after the other, each with what it cannot give. Throws ClientError. */
  pages(): AsyncIterable<Page<Item>>;
  /** One page. Throws ClientError. */
  page(options?: PageOptions): Promise<Page<Item>>;
  /** Every item, in memory at once. Throws ClientError; `records-damaged` when not all can be given. */
  all(): Promise<readonly Item[]>;
}

/** Most items that the service gives in one page, as it is installed. */
const LARGEST_PAGE = 1000;

/** A listing out of what gives one page of it. */
export function listing<Item>(
  page: (options: PageOptions) => Promise<Page<Item>>,
  largest: number = LARGEST_PAGE,
): Listing<Item> {
  const pages = async function* (): AsyncGenerator<Page<Item>, void, undefined> {
    for (let cursor: string | null | undefined; cursor !== null;) {
      const found: Page<Item> = await page({ cursor, limit: largest });
      yield found;
      cursor = found.next;
    }
  };
  const each = async function* (): AsyncGenerator<Item, void, undefined> {
    const damaged: Damaged[] = [];
    for await (const found of pages()) {
      for (const one of found.damaged ?? []) if (damaged.length < MOST_NAMED) damaged.push(one);
      yield* found.items;
    }
    if (damaged.length > 0) throw damagedError(damaged);
  };
  return {
    page: (options = {}) => page(options),
    pages,
    all: async () => {
      const items: Item[] = [];
      for await (const item of each()) items.push(item);
      return items;
    },
    [Symbol.asyncIterator]: each,
  };
}

/** Most that are named in one error. */
const MOST_NAMED = 100;

function damagedError(damaged: readonly Damaged[]): ClientError {
  const named = damaged.map(
    ({ collection, id, code }) => `${collection === undefined ? "" : `${collection}/`}${id} (${code})`,
  );
  return new ClientError("records-damaged", { detail: named.join(", ") });
}
