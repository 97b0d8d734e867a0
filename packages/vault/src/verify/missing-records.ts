/**
 * Records that the audit's log knows as live, and of which no row is there: no list has them, and no read that asks for
 * something else comes upon them. The log has their addresses as keyed hashes alone, so the hashes of all records are
 * held against it.
 *
 * What is not among them may have been written since they were read. It is looked for once more, and told only if the
 * log, and what waits to be in it, still have the same head of it afterwards: then it was there all the while, or ought
 * to have been.
 */
import type { PartOfEntry } from "../audit/audit-keys.ts";
import { parseEntry } from "../audit/entry-text.ts";
import { isCollection } from "../records/address.ts";
import type { Address, RecordId } from "../records/address.ts";
import type { AddressHead, AuditLog } from "../stores/audit-log.ts";
import type { AddressTag } from "../stores/outbox.ts";
import { isNamed, listedRecords } from "./listed-records.ts";
import type { VerifiedAudit, VerifyRun } from "./parts.ts";
import { VERIFY_CODES } from "./report.ts";
import type { VerifyPlace } from "./report.ts";
import { TagSet } from "./tag-set.ts";

const PAGE = 1_000;

/** Suspected ones that are held at a time. */
const SUSPECTED = 10_000;

type LiveHead = Awaited<ReturnType<AuditLog["heads"]>>[number];

/** @param told of how many heads were looked for, and the last of them */
export async function verifyMissing(
  run: VerifyRun,
  audit: VerifiedAudit,
  after: AddressTag | null,
  told: (heads: number, last: AddressTag | null) => Promise<void>,
): Promise<void> {
  const present = await tagsOf(run, audit);
  let suspected: LiveHead[] = [];
  let last = after;
  for (;;) {
    run.signal?.throwIfAborted();
    const page = await audit.log.heads({ only: "live", after: last, limit: PAGE });
    suspected = suspected.concat(page.filter(({ tag }) => !present.has(tag)));
    if (suspected.length >= SUSPECTED || page.length < PAGE) {
      await lookAgain(run, audit, suspected);
      suspected = [];
    }
    run.findings.looked("heads", page.length);
    last = page.at(-1)?.tag ?? last;
    await told(page.length, suspected.length === 0 ? last : null);
    if (page.length < PAGE) return;
  }
}

/** Of every record that a list has. */
async function tagsOf(run: VerifyRun, { keys }: VerifiedAudit): Promise<TagSet> {
  const tags = new TagSet();
  for await (const address of addresses(run)) tags.add(keys.tag(address));
  return tags;
}

async function* addresses(run: VerifyRun): AsyncGenerator<Address> {
  const { records } = run.records.store;
  for (const { name } of await records.collections()) {
    if (!isCollection(name)) continue;
    for await (const { listed } of listedRecords(records, name, null)) {
      run.signal?.throwIfAborted();
      if (isNamed(listed)) yield { collection: name, id: listed.id as RecordId };
    }
  }
}

async function lookAgain(run: VerifyRun, audit: VerifiedAudit, suspected: readonly LiveHead[]): Promise<void> {
  if (suspected.length === 0) return;
  const left = new Map(suspected.map((head) => [head.tag, head]));
  for await (const address of addresses(run)) left.delete(audit.keys.tag(address));
  const heads = [...left.values()];
  for (let start = 0; start < heads.length; start += PAGE)
    for (const head of await still(run, audit, heads.slice(start, start + PAGE)))
      run.findings.add({
        code: "record-missing",
        message: VERIFY_CODES["record-missing"],
        place: await placeOf(run, audit, head),
      });
}

/** Those of which the log has the same head by now, and nothing waits. */
async function still(
  { records: { store } }: VerifyRun,
  { log }: VerifiedAudit,
  heads: readonly LiveHead[],
): Promise<readonly LiveHead[]> {
  const tags = heads.map(({ tag }) => tag);
  // In this order: what waits no more is in the log.
  const waiting = new Set((await store.outbox.pending(tags)).map(({ tag }) => tag));
  const latest = await log.latest(tags.map((tag) => ({ tag, message: null })));
  return heads.filter((head, index) => !waiting.has(head.tag) && isSame(head, latest[index]?.head ?? null));
}

function isSame(head: AddressHead, now: AddressHead | null): boolean {
  return now?.version === head.version && now.state === head.state && now.entry === head.entry;
}

/** Where it was, as far as its entry can be read: by whoever has the keys of the audit, and not for ever. */
async function placeOf(
  run: VerifyRun,
  { log, keys }: VerifiedAudit,
  { tag, version, entry }: LiveHead,
): Promise<VerifyPlace> {
  const nowhere = { kind: "record", collection: null, id: null, version } as const;
  if (entry === null) return nowhere;
  const [position = null] = await log.positions([entry]);
  const [row] = position === null ? [] : await log.entries({ from: position, limit: 1 });
  const text = row?.text ?? null;
  const read = text === null ? null : parseEntry(text);
  if (read?.collection === undefined || !isCollection(read.collection)) return nowhere;
  const { collection, people = [] } = read;
  const parts = await keys.openParts(people.map((person): PartOfEntry => ({ entry: read.id, person })));
  for (const part of parts)
    for (const [id] of part?.records ?? []) {
      const address = await run.records.rowAddresses.of({ collection, id: id as RecordId }, run.signal);
      if (keys.tag(address) === tag) return { ...nowhere, ...address };
    }
  return { ...nowhere, collection };
}
