/**
 * What a verification goes through: the lists of each part, in an order in which another one can go on.
 */
import { VaultError } from "../errors.ts";
import { isCollection } from "../records/address.ts";
import type { Collection, RecordId } from "../records/address.ts";
import { shown } from "@strongroom/base/shown";
import type { InventoryItem } from "../stores/inventory.ts";
import type { KeyPlace, KeyVersion } from "../stores/key-store.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { LinkedRecords } from "./linked-records.ts";
import { isNamed, listedRecords } from "./listed-records.ts";
import type { Listed } from "./listed-records.ts";
import type { VerifiedAudit, VerifiedKeys, VerifyRun } from "./parts.ts";
import { tellMissing, verifyKey } from "./verify-keys.ts";
import { verifyOwners, verifyPerson } from "./verify-people.ts";
import { verifyRecord } from "./verify-record.ts";

/** One thing that is looked at. */
export interface Entry {
  /** By which it is told from the others of its part. */
  readonly name: string;
  /** Where the list goes on behind it. */
  readonly position: string;
  readonly look: () => Promise<void>;
}

/** A list of a part: its entries behind a position; null: from the first. */
export interface List {
  readonly name: string;
  readonly entries: (after: string | null) => AsyncIterable<Entry>;
}

/** The lists of a part, in the order of their names. */
export interface Lists {
  /** How many entries there are; null: it is not known. */
  readonly of: number | null;
  readonly lists: readonly List[];
}

const PAGE = 500;

export async function listsOfKeys(run: VerifyRun, keys: VerifiedKeys): Promise<Lists> {
  const counts = await keys.store.keys.counts();
  const entries = async function* (after: string | null): AsyncGenerator<Entry> {
    for await (const item of allKeys(keys, after)) {
      const { place, position } = item;
      const name = place === null ? position : `${place.kind} ${place.owner} ${place.version}`;
      yield { name, position, look: () => verifyKey(run, keys, item) };
    }
  };
  const { audit } = run;
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (audit === null) return { of: all, lists: [{ name: "", entries }] };
  // Each key of the audit comes once more, as entries name it.
  const named = (after: string | null): AsyncIterable<Entry> => namedKeys(run, keys, audit, after);
  return {
    of: all + counts.audit,
    lists: [
      { name: "", entries },
      { name: "named", entries: named },
    ],
  };
}

/** Keys of the audit that its entries name. */
async function* namedKeys(
  run: VerifyRun,
  { store }: VerifiedKeys,
  { log }: VerifiedAudit,
  first: string | null,
): AsyncGenerator<Entry> {
  let after = first as KeyVersion | null;
  for (;;) {
    const page: readonly KeyVersion[] = await log.namedKeys({ after, limit: PAGE });
    const owners = await store.keys.owners(page);
    for (const [index, version] of page.entries()) {
      const look = async (): Promise<void> => {
        if (owners[index]?.kind !== "audit") tellMissing(run, version);
      };
      yield { name: `named ${version}`, position: version, look };
    }
    after = page.at(-1) ?? null;
    if (after === null || page.length < PAGE) return;
  }
}

/** A key whose wraps change meanwhile may come twice, or not at all: whoever changed them has opened it. */
async function* allKeys({ store }: VerifiedKeys, first: string | null): AsyncGenerator<InventoryItem<KeyPlace>> {
  const sets = (await store.inventory.sets()).map(({ id }) => id);
  let after = first;
  for (;;) {
    const page: readonly InventoryItem<KeyPlace>[] = await store.inventory.list({ sets, after, limit: PAGE });
    yield* page;
    after = page.at(-1)?.position ?? null;
    if (after === null || page.length < PAGE) return;
  }
}

export function listsOfPeople(run: VerifyRun, keys: VerifiedKeys): Lists {
  const { subjects } = run.records.store;
  const rows = async function* (first: string | null): AsyncGenerator<Entry> {
    let after = first as SubjectId | null;
    for (;;) {
      const page = await subjects.list({ after, limit: PAGE });
      for (const row of page) yield { name: row.id, position: row.id, look: () => verifyPerson(run, keys, row) };
      after = page.at(-1)?.id ?? null;
      if (after === null || page.length < PAGE) return;
    }
  };
  const owners = async function* (first: string | null): AsyncGenerator<Entry> {
    let after = first as SubjectId | null;
    for (;;) {
      const page = await keys.store.keys.people({ after, limit: PAGE });
      for (const id of page) yield { name: `${id} owner`, position: id, look: () => verifyOwners(run, [id]) };
      after = page.at(-1) ?? null;
      if (after === null || page.length < PAGE) return;
    }
  };
  return {
    of: null,
    lists: [
      { name: "owners", entries: owners },
      { name: "rows", entries: rows },
    ],
  };
}

/**
 * @param only a collection; left out: all
 * @throws VaultError `collection-absent`
 */
export async function listsOfRecords(run: VerifyRun, only: Collection | undefined): Promise<Lists> {
  const all = (await run.records.store.records.collections())
    .filter(({ name }) => only === undefined || name === only)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (only !== undefined && all.length === 0) throw new VaultError("collection-absent", "There is no such collection");
  await run.records.indexes?.list();
  const linked = new LinkedRecords(run.records.store.subjects);
  const lists = all.map(({ name }) => ({
    name,
    entries: async function* (after: string | null): AsyncGenerator<Entry> {
      const first = after === null ? null : Buffer.from(after, "base64url");
      for await (const one of listedRecords(run.records.store.records, name as Collection, first)) {
        const position = Buffer.from(one.listed.position).toString("base64url");
        const look = (): Promise<void> => lookAtListed(run, name, one, linked);
        yield { name: `${name}/${one.listed.id}`, position, look };
      }
    },
  }));
  return { of: all.reduce((sum, { records }) => sum + records, 0), lists };
}

async function lookAtListed(
  run: VerifyRun,
  name: string,
  { listed, before }: Listed,
  linked: LinkedRecords,
): Promise<void> {
  if (!isCollection(name) || !isNamed(listed)) {
    const message = "The row's collection or id is none that a vault gives";
    const place = { kind: "record", collection: shown(name), id: shown(listed.id), version: null } as const;
    run.findings.looked("records");
    run.findings.add({ code: "record-tampered", message, place });
    return;
  }
  const address = { collection: name, id: listed.id as RecordId };
  const again = async (): Promise<Pick<Listed["listed"], "sealedId"> | null> => {
    const [now] = (await run.records.store.records.list(name, { after: before, limit: 1 })) ?? [];
    return now?.id === listed.id ? now : null;
  };
  await verifyRecord(run, { address, sealedId: listed.sealedId, again }, linked);
}
