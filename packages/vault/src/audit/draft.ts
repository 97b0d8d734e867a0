/**
 * Entries before they have a number: everything that they tell is fixed, and what they tell of people is sealed. The
 * text and its authentication code are made once the place in a stream is known.
 */
import { isCollection } from "../records/address.ts";
import type { AddressTag, EntryId, OutboxEntry, StreamId, UnitEntry } from "../stores/outbox.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { SubjectId } from "../stores/subjects.ts";
import type { AuditKeys, PartKey, PartOwner } from "./audit-keys.ts";
import type { Actor, Concerned, EntryDraft } from "./auditor.ts";
import type { EntryPerson } from "./entry.ts";
import { placedEntry, writeBody } from "./entry-text.ts";
import type { EntryBody } from "./entry-text.ts";

/** An entry without a place. */
export interface Draft extends EntryDraft {
  /** Its text behind the place. */
  readonly body: string;
  /** Bytes of its whole text, at most. */
  readonly bytes: number;
  /** Of a change of one address. */
  readonly tag: AddressTag | null;
  readonly previous: EntryId | null;
}

/** Where an entry is to stand. */
export interface Place {
  readonly stream: StreamId;
  readonly number: number;
  readonly ends: boolean;
}

/** What a draft is made of. */
export interface DraftFacts {
  readonly id: EntryId;
  readonly body: EntryBody;
  readonly tag?: AddressTag;
  readonly previous?: EntryId | null;
}

/** Bytes before the body, at most: an id, a stream, a number of 16 digits. */
const HEAD_BYTES = 192;

export function draftOf({ id, body, tag, previous = null }: DraftFacts): Draft {
  const text = writeBody(body);
  return { id, body: text, bytes: HEAD_BYTES + Buffer.byteLength(text, "utf8"), tag: tag ?? null, previous };
}

/** The entry of a draft at its place. */
export function entryOf(
  { id, body, tag }: Draft,
  { stream, number, ends }: Place,
  keys: Pick<AuditKeys, "mac">,
): OutboxEntry {
  const text = placedEntry({ id, stream, number, ...(ends ? { ends } : {}) }, body);
  return { id, stream, number, ends, tag, text, mac: keys.mac(text) };
}

export const unitEntryOf = (draft: Draft, place: Place, keys: Pick<AuditKeys, "mac">): UnitEntry => ({
  ...entryOf(draft, place, keys),
  previous: draft.previous,
});

/** Whom something is about, and which version of which record. */
export type About = Pick<Concerned, "id" | "version" | "scheme" | "subject" | "about">;

/** The people of a version who have rows: none, where it names whom it is about as its writer did. */
export function peopleOf({
  scheme,
  subject,
  about,
}: Pick<About, "scheme" | "subject" | "about">): readonly SubjectId[] {
  if (scheme === 1) return [];
  return isSubjectId(subject) ? [subject, ...about] : about;
}

interface Part {
  readonly subject: string | null;
  readonly records: [id: string, version: number | null][];
}

/** What an entry tells of whom, before it is sealed. */
export class Parts {
  readonly #parts = new Map<PartOwner, Part>();

  /** Adds what something tells of everybody whom it is about. */
  add(about: About): void {
    const { id, version, scheme, subject, about: others } = about;
    const ofNobody = scheme === 1 || subject === null;
    // A part for whom it is about: also where that is nobody known, unless somebody else is.
    if (!ofNobody || id !== null) this.#record(ownerOf(ofNobody ? null : subject), id, version);
    if (scheme !== 1) for (const other of others) this.#record(ownerOf(other), id, version);
  }

  person(id: SubjectId): void {
    this.#part(ownerOf(id));
  }

  /**
   * The parts, sealed for the entry `id`; undefined: there are none. What is about nobody, of a ticket or a label, is
   * the vault's own to read. At once, where all keys are in memory.
   */
  sealed(id: EntryId, keys: AuditKeys, told: Told): People | Promise<People> {
    const { label, ticket } = told;
    if (label !== undefined || (ticket !== undefined && this.#parts.size === 0)) this.#part(OF_NOBODY);
    if (this.#parts.size === 0) return undefined;
    const owners = [...this.#parts.keys()];
    const atHand = keys.partKeysAtHand(owners);
    if (atHand !== null) return this.#sealedUnder(atHand, id, told);
    return keys.partKeys(owners).then((partKeys) => this.#sealedUnder(partKeys, id, told));
  }

  #sealedUnder(partKeys: readonly PartKey[], id: EntryId, { label, ticket }: Told): People {
    const people: EntryPerson[] = [];
    let index = 0;
    for (const [owner, { subject, records }] of this.#parts) {
      const own = owner === "vault" ? label : undefined;
      const more = { ...(ticket !== undefined && { ticket }), ...(own !== undefined && { label: own }) };
      const key = partKeys[index++];
      if (key !== undefined) people.push(key.seal(id, { subject, records, ...more }));
    }
    return people;
  }

  #record(owner: Owner, id: string | null, version: number | null): void {
    const { records } = this.#part(owner);
    if (id !== null) records.push([id, version]);
  }

  #part({ key, subject }: Owner): Part {
    let part = this.#parts.get(key);
    if (part === undefined) this.#parts.set(key, (part = { subject, records: [] }));
    return part;
  }
}

type People = EntryBody["people"];

/** What an entry tells besides. */
interface Told {
  readonly ticket: Actor["ticket"];
  readonly label?: string | undefined;
}

interface Owner {
  readonly key: PartOwner;
  readonly subject: string | null;
}

const OF_NOBODY: Owner = { key: "vault", subject: null };
const COLLECTION = "collection:";

/** Whose key seals what is about a subject, as the row of a version of scheme 2 names it. */
function ownerOf(subject: string | null): Owner {
  if (isSubjectId(subject)) return { key: `person:${subject}`, subject };
  const isNobody = subject?.startsWith(COLLECTION) === true && isCollection(subject.slice(COLLECTION.length));
  return isNobody ? { key: subject as `collection:${string}`, subject } : OF_NOBODY;
}
