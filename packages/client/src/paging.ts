/**
 * Listings that come in pages: as one sequence of items, page after page, or a page at a time.
 */

/** One page, and the cursor of the next; null on the last. */
export interface Page<Item> {
  readonly items: readonly Item[];
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
 * the place where it is meanwhile is not seen.
 */
export interface Listing<Item> extends AsyncIterable<Item> {
  /** One page. Throws ClientError. */
  page(options?: PageOptions): Promise<Page<Item>>;
  /** Every item, in memory at once. Throws ClientError. */
  all(): Promise<readonly Item[]>;
}

/** Most items that the service gives in one page, as it is installed. */
const LARGEST_PAGE = 1000;

/** A listing out of what gives one page of it. */
export function listing<Item>(page: (options: PageOptions) => Promise<Page<Item>>): Listing<Item> {
  const each = async function* (): AsyncGenerator<Item, void, undefined> {
    for (let cursor: string | null | undefined; cursor !== null;) {
      const { items, next }: Page<Item> = await page({ cursor, limit: LARGEST_PAGE });
      yield* items;
      cursor = next;
    }
  };
  return {
    page: (options = {}) => page(options),
    all: async () => {
      const items: Item[] = [];
      for await (const item of each()) items.push(item);
      return items;
    },
    [Symbol.asyncIterator]: each,
  };
}
