// A whole listing out of its pages.

/** Most items that the service gives in one page. */
const PAGE = 1000;

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** Asks for page after page to the end. Throws the signal's reason when it is aborted between two. */
export async function allPages<Item>(
  ask: (page: { readonly cursor: string | undefined; readonly limit: number }) => Promise<Page<Item>>,
  signal: AbortSignal,
): Promise<{ items: readonly Item[]; next: null }> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    signal.throwIfAborted();
    const page = await ask({ cursor, limit: PAGE });
    items.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return { items, next: null };
}
