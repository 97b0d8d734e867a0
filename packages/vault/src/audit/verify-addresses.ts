/**
 * The newest states of addresses and the messages that are known of them, as the log's tables have them, held against
 * what entries come to. What an entry with a text says must be there exactly so, unless a later entry whose text was
 * forgotten may have said another thing; and what no text explains must name such an entry.
 */
import type { AddressHead, AuditLog, KnownMessage } from "../stores/audit-log.ts";
import type { AddressTag, EntryId } from "../stores/outbox.ts";
import type { VerifiedTexts } from "./verify-texts.ts";

const PAGE = 500;

/** Adds a problem. */
export type Report = (message: string) => void;

/** A head of an address. */
type TaggedHead = AddressHead & { readonly tag: AddressTag };

/** Where in the log addresses were changed. */
export interface HeadPlaces {
  readonly gone: Pick<VerifiedTexts, "forgotten">;
  /** Where the history began. */
  readonly from: number;
  /** Where the newest state of an address was set, as far as texts say. */
  readonly said: ReadonlyMap<AddressTag, number>;
}

/** @returns addresses that a later entry without a text has changed, as the log's table says */
export async function compareHeads(
  log: AuditLog,
  heads: readonly TaggedHead[],
  places: HeadPlaces,
  report: Report,
): Promise<ReadonlySet<AddressTag>> {
  const later = new Set<AddressTag>();
  for (let at = 0; at < heads.length; at += PAGE) {
    const asked = heads.slice(at, at + PAGE);
    const known = await log.latest(asked.map(({ tag }) => ({ tag, message: null })));
    const others = asked.flatMap(({ tag, ...said }, index) => {
      const head = known[index]?.head ?? null;
      return isSame(said, head) ? [] : [{ tag, entry: head?.entry ?? null, said: said.entry }];
    });
    const may = await mayBeOf(log, others, places);
    for (const [index, { tag, said }] of others.entries())
      if (may[index] === true) later.add(tag);
      else report(`the newest state of an address, of entry ${said ?? "none"}, is not what the log has`);
  }
  return later;
}

/** Of heads that the log has and no text explains. */
export async function compareOtherHeads(
  log: AuditLog,
  count: number,
  places: HeadPlaces,
  report: Report,
): Promise<void> {
  let [after, found]: [AddressTag | null, number] = [null, 0];
  for (;;) {
    const page: readonly TaggedHead[] = await log.heads({ only: "all", after, limit: PAGE });
    found += page.length;
    const others = page.filter(({ tag }) => !places.said.has(tag));
    const may = await mayBeOf(log, others, places);
    for (const [index, { entry }] of others.entries())
      if (may[index] !== true) report(`no entry explains the newest state of an address, of entry ${entry ?? "none"}`);
    after = page.at(-1)?.tag ?? null;
    if (page.length < PAGE) break;
  }
  if (found !== count) report(`the log has ${count} heads, of which ${count - found} are of no address`);
}

/** Whether entries that heads name have no text, and come after what texts say of the address. */
async function mayBeOf(
  log: AuditLog,
  heads: readonly Pick<TaggedHead, "tag" | "entry">[],
  { gone, from, said }: HeadPlaces,
): Promise<readonly boolean[]> {
  const named = heads.map(({ entry }) => entry).filter((entry): entry is EntryId => entry !== null);
  const positions = named.length === 0 || gone.forgotten.ranges.length === 0 ? [] : await log.positions(named);
  const positionOf = new Map(named.map((entry, index) => [entry, positions[index] ?? null]));
  return heads.map(({ tag, entry }) => {
    const position = entry === null ? null : (positionOf.get(entry) ?? null);
    return position !== null && gone.forgotten.has(position) && position >= from && position > (said.get(tag) ?? -1);
  });
}

const isSame = (said: AddressHead, head: AddressHead | null): boolean =>
  head?.version === said.version && head.state === said.state && head.entry === said.entry;

/** That messages are known. */
export async function compareMessages(log: AuditLog, messages: readonly KnownMessage[], report: Report): Promise<void> {
  for (let at = 0; at < messages.length; at += PAGE) {
    const asked = messages.slice(at, at + PAGE);
    const known = await log.latest(asked.map(({ tag, version, sha256 }) => ({ tag, message: { version, sha256 } })));
    const missing = asked.filter((_, index) => known[index]?.isKnown !== true).length;
    if (missing > 0) report(`${missing} messages of records are not known any more`);
  }
}
