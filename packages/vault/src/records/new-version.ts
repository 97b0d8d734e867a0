/**
 * The new version of a record: what it comes after, the keys that seal it, and the sealing itself, on top of what is
 * there.
 */
import { envelopeFailure } from "../envelope-failure.ts";
import { VaultError } from "../errors.ts";
import type { KeyUseOfWrite } from "../keys/cost.ts";
import { tenantOfRecord } from "../keys/key-binding.ts";
import type { Sealing } from "../keys/key-sets.ts";
import type { Sealer } from "../keys/subject-keys.ts";
import type { Dependencies } from "../limits.ts";
import type { Agreed } from "../search/index-book.ts";
import type { OpenIndex, Tagger } from "../search/tagger.ts";
import type { Tag } from "../stores/indexes.ts";
import type { StoredMessage } from "../stores/rows.ts";
import type { UnitSubject } from "../stores/subjects.ts";
import type { NewVersion } from "../stores/units.ts";
import type { WrapSet } from "../stores/wrap-set.ts";
import type { Address, Collection, Place, Subject, Version } from "./address.ts";
import type { Asked } from "./asked.ts";
import { decodeDocument } from "./document.ts";
import { peopleOf, requireOpenPeople } from "./people.ts";
import type { PeopleNames } from "./people.ts";
import type { RecordState } from "./read.ts";
import { damaged, requireContext, sealBytes, storedAddress } from "./version.ts";
import type { Concern } from "./whom.ts";

/**
 * The version that a new one comes after; null: there is none. That it says what its row says is checked here, that it
 * proves it is not.
 *
 * @throws VaultError the `record-…` codes, `subject-restricted`, `subject-erased`, `key-store-lost`
 */
export async function versionBefore(
  dependencies: Pick<Dependencies, "store" | "subjectKeys">,
  row: Address,
  state: RecordState,
  signal: AbortSignal | undefined,
): Promise<StoredMessage | null> {
  if (state.kind === "absent") return null;
  const read = await dependencies.store.records.read(row, state.version);
  // Changed since its head was read: what is prepared meets a conflict.
  if (read.stored === null && read.damage === undefined) return null;
  if (read.stored === null) throw damaged(read);
  const address = storedAddress(row, read.stored, dependencies.subjectKeys);
  await requireOpenPeople(dependencies, row, read, read.stored, { signal });
  requireContext(read.stored.message, address);
  return read.stored;
}

/** What a version is sealed with, and the indexes that its tags are of. @throws VaultError `index-unknown` … */
export async function sealingFor(
  { keys, indexes }: Pick<Dependencies, "keys" | "indexes">,
  collection: Collection,
): Promise<Agreed> {
  return indexes === null ? { sealing: await keys.forWriting(), open: [] } : indexes.agreed(collection);
}

/** What makes the tags of versions; null: there is no index. Whoever has it disposes of it. */
export async function taggerFor(
  { indexes }: Pick<Dependencies, "indexes">,
  open: readonly OpenIndex[],
  signal: AbortSignal | undefined,
): Promise<Tagger | null> {
  return indexes === null || open.length === 0 ? null : indexes.tagger(open, signal);
}

/** Whom a version in this collection is to be about. */
export interface SealerInput extends Place {
  readonly concern: Concern;
}

/** What seals each of these versions, in their order; in its place, what is wrong with one of them. */
export async function sealersFor(
  { store, subjectKeys, declarations }: Pick<Dependencies, "store" | "subjectKeys" | "declarations">,
  inputs: readonly SealerInput[],
  asked: Asked,
  signal: AbortSignal | undefined,
): Promise<readonly (Sealer | Error)[]> {
  if (subjectKeys === null) return inputs.map(({ concern }) => inClear(concern));
  if (inputs.length === 0) return [];
  // Before a key is made for what cannot be stored.
  const full = await store.requireRoom().then(
    () => null,
    (error: unknown) => envelopeFailure(error),
  );
  if (full !== null) return inputs.map(() => full);
  const sealers = await subjectKeys.sealers(
    inputs.map(({ address, concern: { whom, also } }) => ({
      scope: declarations.of(address.collection).scope,
      whom,
      also,
    })),
    signal,
  );
  try {
    await asked.tellKeysMade();
  } catch (error) {
    for (const sealer of sealers) if (!(sealer instanceof Error)) sealer[Symbol.dispose]();
    throw error;
  }
  return sealers.map((sealer, index) => {
    const inherited = inputs[index]?.concern.inherited ?? null;
    if (sealer instanceof Error || inherited === null || isSame(sealer, inherited)) return sealer;
    sealer[Symbol.dispose]();
    return new VaultError("subject-differs", "The further people of the record are not found by their names any more");
  });
}

/** Whether the further people that were inherited by name are the same ones. */
function isSame({ subject, about }: Sealer, inherited: readonly string[]): boolean {
  const wanted = new Set(inherited.filter((id) => id !== subject));
  return about.length === wanted.size && about.every((id) => wanted.has(id));
}

/** Without a key store: the key set wraps each version's own data key, and the name is the subject. */
function inClear({ whom }: Concern): Sealer {
  if (whom.kind !== "name") throw new TypeError("without a key store everybody has a name");
  return {
    subject: whom.name,
    name: whom.name,
    tenant: whom.tenant,
    isNew: false,
    about: [],
    subjects: [],
    keyring: null,
    wrapSet: null,
    sealId: () => {
      throw new TypeError("without a key store no id is sealed");
    },
    [Symbol.dispose]: () => undefined,
  };
}

/** A version that only needs to be sealed. */
export interface VersionInput extends SealerInput {
  readonly version: Version;
  /** Of the document; the caller wipes it. */
  readonly plaintext: Uint8Array;
  readonly sealer: Sealer;
  readonly sealing: Sealing;
  /** Null: it is found by nothing. */
  readonly tagger: Tagger | null;
  readonly signal: AbortSignal | undefined;
}

/** A version that only needs to be stored. */
export interface SealedNewVersion {
  readonly next: NewVersion;
  readonly people: readonly UnitSubject[];
  readonly sealedId: Uint8Array | null;
  readonly names: PeopleNames;
  /** Of the key that seals it: the message's own, or that of its person. */
  readonly wrapSet: WrapSet;
  /** To be counted when it is stored. */
  readonly use: KeyUseOfWrite;
  /** What it is found by, as the newest version; undefined: there is no index. */
  readonly tags: readonly Tag[] | undefined;
}

/** @throws VaultError as sealBytes does; `document-unfit`: more values than a record is found by; `store-full` */
export async function sealVersion(
  {
    store,
    subjectKeys,
    rowAddresses,
    declarations,
    clock,
  }: Omit<Dependencies, "keys" | "limits" | "turns" | "indexes">,
  { address, row, version, plaintext, concern, sealer, sealing, tagger, signal }: VersionInput,
): Promise<SealedNewVersion> {
  await store.requireRoom();
  const tags = tagger === null ? undefined : tagsOf(declarations, tagger, { address, plaintext, sealer });
  const { collection, id } = row;
  const { subject, about } = sealer;
  // That the keys' answer is one that will be read again.
  if (subjectKeys !== null) peopleOf(collection, { subject, about });
  const scheme = subjectKeys === null ? 1 : 2;
  const { message, wrapSet } = await sealBytes(
    plaintext,
    { collection, id, subject, version, ...(subjectKeys === null ? {} : { vault: subjectKeys.vault, about }) },
    { keyring: sealer.keyring ?? sealing.keyring, signal },
  );
  return {
    next: { version, scheme, subject, about, createdAt: clock().toISOString(), wrapSet, message },
    people: sealer.subjects,
    sealedId: rowAddresses.isSealed(collection) ? sealer.sealId(collection, id, address.id) : null,
    names: { subject: sealer.name, about: withoutSubject(concern.also, sealer.name) },
    wrapSet: sealer.wrapSet ?? wrapSet,
    use: {
      scope: declarations.of(collection).scope,
      owner: subject,
      tenant: sealer.tenant,
      isNew: sealer.isNew,
      target: (sealer.wrapSet ?? wrapSet).target,
    },
    tags,
  };
}

function tagsOf(
  declarations: Dependencies["declarations"],
  tagger: Tagger,
  { address, plaintext, sealer }: Pick<VersionInput, "address" | "plaintext" | "sealer">,
): readonly Tag[] {
  const document = decodeDocument(plaintext);
  const ofPerson = sealer.name === null ? null : sealer.tenant;
  return tagger.tagsOf(document, tenantOfRecord(declarations.of(address.collection), ofPerson, document));
}

const withoutSubject = (names: readonly Subject[], subject: Subject | null): readonly Subject[] =>
  names.filter((name) => name !== subject);
