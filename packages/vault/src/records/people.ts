/**
 * The people of a version, and whether they may be read and written about. The store joins their rows to every read and
 * locks them in every write: what was revoked is refused here whatever keys this process still holds.
 */
import { VaultError } from "../errors.ts";
import { branchKeyId, DEFAULT_TENANT } from "../keys/key-binding.ts";
import type { SubjectKeys, Tenant } from "../keys/subject-keys.ts";
import type { Dependencies } from "../limits.ts";
import type { RecordRead, StoredMessage, VersionRow } from "../stores/rows.ts";
import type { Store } from "../stores/store.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { SubjectId, SubjectRow, SubjectState, UnitSubject } from "../stores/subjects.ts";
import type { Address, Collection, Subject } from "./address.ts";
import type { Asked } from "./asked.ts";
import { exceptedPurposes } from "./restrictions.ts";
import type { Settled } from "./units.ts";
import { openBytes, storedAddress } from "./version.ts";

type Joined = Pick<Dependencies, "store" | "subjectKeys">;

/** What stands in the place of a person where a version is about nobody. */
export const nobodyOf = (collection: Collection): Subject =>
  branchKeyId({ kind: "collection", owner: collection }) as Subject;

/** Who has a name. */
export interface Known {
  readonly id: SubjectId;
  /** Null: nothing was written about them. */
  readonly row: SubjectRow | null;
}

/**
 * Who has a name now; null: nobody. A process remembers names for a while: where the one whom it remembers was erased,
 * it asks afresh, as the name may be somebody else's by now.
 */
export async function whoIs(
  { store: { subjects } }: Pick<Dependencies, "store">,
  subjectKeys: Pick<SubjectKeys, "resolve" | "forget">,
  named: { readonly name: Subject; readonly tenant: Tenant },
  signal: AbortSignal | undefined,
): Promise<Known | null> {
  const ask = async (): Promise<Known | null> => {
    const [id = null] = await subjectKeys.resolve([named], signal);
    return id === null ? null : { id, row: (await subjects.get([id]))[0] ?? null };
  };
  const known = await ask();
  const state = known?.row?.state ?? "active";
  if (known === null || state === "active" || state === "restricted") return known;
  subjectKeys.forget(known.id);
  return ask();
}

/**
 * That everybody whom a version is about may be read and written about.
 *
 * @throws VaultError `subject-restricted`, `subject-erased`; `record-tampered` when a row of theirs is missing, or the
 *   version is about what is no person
 */
export async function requireOpenPeople(
  { store, subjectKeys }: Joined,
  { collection }: { readonly collection: Collection },
  { subjects }: Pick<RecordRead, "subjects">,
  stored: StoredMessage,
  { signal, asked }: Opening,
): Promise<void> {
  if (subjectKeys === null) return;
  if (stored.scheme === 1) {
    // Its row has the name: nobody by that name was ever written about in scheme 2, or it is somebody by now.
    const known = await whoIs({ store }, subjectKeys, { name: stored.subject, tenant: DEFAULT_TENANT }, signal);
    if (known !== null && known.row !== null) await requireReadable(store, known.row, asked);
    return;
  }
  for (const id of peopleOf(collection, stored)) {
    const row = subjects.find((subject) => subject.id === id);
    if (row === undefined)
      throw new VaultError("record-tampered", "The row of a person whom the version is about is missing");
    await requireReadable(store, row, asked);
  }
}

/** How somebody's version is opened. */
interface Opening {
  readonly signal: AbortSignal | undefined;
  /** A read, which a purpose may excuse; left out: a write, which nothing excuses. */
  readonly asked?: Asked;
}

/**
 * That somebody may be read about: everybody who is active, and who is restricted for an excepted purpose. Of those,
 * `asked` looks again.
 *
 * @throws VaultError `subject-restricted`, `subject-erased`
 */
export async function requireReadable(
  { notes, subjects }: Pick<Store, "notes" | "subjects">,
  row: SubjectRow,
  asked: Asked | undefined,
): Promise<void> {
  const purpose = asked?.purpose;
  if (row.state !== "restricted" || asked === undefined || purpose === undefined) {
    requireActive(row);
    return;
  }
  const { id } = row;
  // The audit's entry is written whether they are restricted or not: their row is looked at again behind it.
  let isFirst = true;
  await asked.onlyWhile(`restricted ${id}`, async () => {
    if (!(await exceptedPurposes(notes, id)).includes(purpose)) throw subjectClosed("restricted");
    const [now = null] = isFirst ? [row] : await subjects.get([id]);
    isFirst = false;
    if (now === null) throw new VaultError("record-tampered", "The row of a person is missing");
    if (now.state !== "restricted") requireActive(now);
  });
  asked.exempts(id);
}

/** Ids of everybody whom a version of scheme 2 is about. @throws VaultError `record-tampered` */
export function peopleOf(
  collection: Collection,
  { subject, about }: Pick<VersionRow, "subject" | "about">,
): readonly SubjectId[] {
  if (isSubjectId(subject)) return [subject, ...about];
  if (subject === nobodyOf(collection)) return about;
  throw new VaultError("record-tampered", "The row of the version names what is no person");
}

/** @throws VaultError `subject-restricted`, `subject-erased` */
function requireActive({ state }: Pick<SubjectRow, "state">): void {
  if (state !== "active") throw subjectClosed(state);
}

/** The error for somebody who may not be read or written about. */
export function subjectClosed(state: Exclude<SubjectState, "active">): VaultError {
  return state === "restricted"
    ? new VaultError("subject-restricted", "A person whom the record is about is restricted")
    : new VaultError("subject-erased", "A person whom the record is about was erased, or is being erased");
}

/**
 * A writer who does not say whom a record is about leaves it as it is: otherwise a plain update would quietly be about
 * someone else. Who it is about, the message says and its keys prove; the row's word alone would be anybody's who can
 * write the file.
 */
export async function provePeople(
  dependencies: Pick<Dependencies, "keys" | "subjectKeys" | "declarations" | "cost">,
  row: Address,
  stored: StoredMessage,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { keys, subjectKeys } = dependencies;
  const address = storedAddress(row, stored, subjectKeys);
  const plaintext = await openBytes(stored.message, address, { keys, subjectKeys, signal });
  plaintext.fill(0);
  countRead(dependencies, row, stored);
}

/** Counts a version that was opened: as one of its collection's scope, and of the tenant that this declares. */
export function countRead(
  { declarations, cost }: Pick<Dependencies, "declarations" | "cost">,
  { collection }: Address,
  { subject }: Pick<StoredMessage, "subject">,
): void {
  if (cost === null) return;
  const { scope, tenant } = declarations.of(collection);
  cost.read({ scope, owner: subject, tenant: typeof tenant === "string" ? tenant : DEFAULT_TENANT });
}

/** Names of the people of a version, as callers say them; `subject` is null when it is about nobody. */
export interface PeopleNames {
  readonly subject: Subject | null;
  readonly about: readonly Subject[];
}

/**
 * The names of the people of a version that was opened: of another one a row could name anybody.
 *
 * @throws VaultError `subject-name-absent`, `subject-key-tampered` and what opening a key throws
 */
export async function namesOf(
  { subjectKeys }: Pick<Dependencies, "subjectKeys">,
  { scheme, subject, about }: Pick<VersionRow, "scheme" | "subject" | "about">,
  signal: AbortSignal | undefined,
): Promise<PeopleNames> {
  if (scheme === 1 || subjectKeys === null) return { subject, about: [] };
  const name = isSubjectId(subject) ? await subjectKeys.nameOf(subject, signal) : null;
  const others: Subject[] = [];
  for (const id of about) others.push(await subjectKeys.nameOf(id, signal));
  return { subject: name, about: others };
}

/** People as an answer has them: `about` is left out when there is nobody. */
export const answered = ({ subject, about }: PeopleNames): { subject: string | null; about?: readonly string[] } =>
  about.length === 0 ? { subject } : { subject, about };

/** The people of the version before: nobody writes over what is about somebody who is closed. */
export const mentioned = (collection: Collection, stored: StoredMessage | null): readonly UnitSubject[] =>
  stored === null || stored.scheme === 1
    ? []
    : peopleOf(collection, stored).map((id) => ({ id, scope: "record", ordinal: 0 }));

/** Everybody of several versions, each once, in the order of their ids, with the newest key that sealed. */
export function everybody(people: readonly UnitSubject[]): readonly UnitSubject[] {
  const found = new Map<SubjectId, UnitSubject>();
  for (const person of people) {
    const known = found.get(person.id);
    if (known === undefined || person.ordinal > known.ordinal) found.set(person.id, person);
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Why a unit was not made for a person. */
export type Closed = Extract<Settled, { readonly kind: "subject-closed" | "key-set-back" }>;

export const isClosed = (settled: { readonly kind: string } | undefined): settled is Closed =>
  settled?.kind === "subject-closed" || settled?.kind === "key-set-back";

/** The error for it. */
export function closedError(closed: Closed): VaultError {
  if (closed.kind === "subject-closed") return subjectClosed(closed.state);
  return new VaultError("subject-key-set-back", "A newer key of a person has sealed before than the key store has now");
}

/**
 * Whether a unit may be made anew, with keys and ids that are asked for afresh: somebody who was erased and returns has
 * another id, and a key may have been renewed meanwhile. Once for each person.
 */
export class FreshTries {
  readonly #forgotten = new Set<SubjectId>();
  readonly #subjectKeys: Dependencies["subjectKeys"];

  constructor(subjectKeys: Dependencies["subjectKeys"]) {
    this.#subjectKeys = subjectKeys;
  }

  mayTryAnew(closed: Closed): boolean {
    if (closed.kind === "subject-closed" && closed.state === "restricted") return false;
    if (this.#forgotten.has(closed.id)) return false;
    this.#forgotten.add(closed.id);
    this.#subjectKeys?.forget(closed.id);
    return true;
  }
}
