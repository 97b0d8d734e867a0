/**
 * The tags of a record against its document: whether it is found by what it has, and by nothing else. A find opens and
 * compares what it comes upon, so a tag that was put somewhere else gives nobody a wrong record; one that is gone hides
 * a record, and lets another one have a value that is to be unique. Nothing but this notices.
 */
import type { Address } from "../records/address.ts";
import { indexUnknown, tenantIn } from "../search/index-book.ts";
import type { IndexBook, IndexList } from "../search/index-book.ts";
import type { OpenIndex } from "../search/tagger.ts";
import type { Tag } from "../stores/indexes.ts";
import type { Found, Look, OpenedVersion } from "./look.ts";
import type { VerifyRun } from "./parts.ts";
import { VERIFY_CODES } from "./report.ts";

/** A tag that is not where it should be. */
interface Misplaced {
  readonly code: "tag-missing" | "tag-left";
  readonly index: OpenIndex;
}

/** Looks while others change the indexes. */
const LOOKS = 8;

/**
 * Of the head's tags, those of indexes that are ready: of others a build has some yet to write, or to take away.
 *
 * @returns null: the indexes kept changing meanwhile
 * @throws VaultError what keeps the tags from being made
 */
export async function misplacedTags(
  run: VerifyRun,
  address: Address,
  { newest, unopened }: Pick<Look, "newest" | "unopened">,
): Promise<readonly Found[] | null> {
  const { indexes: book } = run.records;
  if (book === null || newest === null) return [];
  let list = await book.lastSeen();
  for (let looks = 1; looks <= LOOKS; looks++) {
    const { open, unknown } = await book.openOf(address.collection, list);
    const ready = open.filter(({ row }) => row.state === "ready");
    const found = ready.length === 0 ? [] : await misplaced(run, address, newest, { book, ready });
    const now: IndexList = found.length === 0 ? list : await book.list();
    if (now.epoch === list.epoch) {
      if (unknown.some(({ state }) => state === "ready")) unopened.push(indexUnknown());
      return found.map(({ code, index }) => ({
        code,
        message: `${VERIFY_CODES[code]} (index ${index.definition.name})`,
      }));
    }
    list = now;
  }
  return null;
}

async function misplaced(
  run: VerifyRun,
  address: Address,
  { stored, document }: OpenedVersion,
  { book, ready }: { readonly book: IndexBook; readonly ready: readonly OpenIndex[] },
): Promise<readonly Misplaced[]> {
  const { store } = run.records;
  const tenant = await tenantIn(run.records, address.collection, { stored, document }, run.signal);
  using tagger = await book.tagger(ready, run.signal);
  const made = new Map(tagger.tagsOf(document, tenant).map((tag) => [nameOf(tag), tag]));
  // Null: it was removed meanwhile, which is seen by its head.
  const there = new Map((await store.indexes.tagsOf(address))?.map((tag) => [nameOf(tag), tag]) ?? made);
  const of = (code: Misplaced["code"], tags: ReadonlyMap<string, Tag>, others: ReadonlyMap<string, Tag>): Misplaced[] =>
    [...tags].flatMap(([name, tag]) => {
      const index = others.has(name) ? undefined : ready.find(({ row }) => row.id === tag.index);
      return index === undefined ? [] : { code, index };
    });
  return [...of("tag-missing", made, there), ...of("tag-left", there, made)];
}

const nameOf = ({ index, tag }: Tag): string => `${index} ${Buffer.from(tag).toString("hex")}`;
