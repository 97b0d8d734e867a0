/**
 * What seals a batch of versions. People are found and keys are read in one call each, opened and made at the same
 * time, and what is made is stored in one call. Of two processes that make the same person one wins, and the other uses
 * what the winner has made.
 */
import { VaultError } from "../errors.ts";
import { isCollection } from "../records/address.ts";
import type { Subject } from "../records/address.ts";
import type { Epoch } from "../stores/gate.ts";
import type { Creation, CreationResult, KeyKind, KeyName } from "../stores/key-store.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { Scope, SubjectId, UnitSubject } from "../stores/subjects.ts";
import { auditOwnerOf } from "./audit-companion.ts";
import { branchKeyId, DEFAULT_TENANT, isTenant, keyTampered } from "./key-binding.ts";
import { createdOrLost } from "./creations.ts";
import { KeySealer } from "./key-sealer.ts";
import { mapKeys } from "./many-keys.ts";
import { itsOwn, requireSame, textOf } from "./people.ts";
import type { Named, People } from "./people.ts";
import type { FreshKey, MadeAt } from "./region-wraps.ts";
import { ownerOfKey } from "./sealed-text.ts";
import type { Sealer, SealerRequest, Tenant, Whom } from "./subject-keys.ts";
import { keySetMoved, MAKE_ATTEMPTS } from "./key-maker.ts";
import type { OpenedKey } from "./opened-key.ts";
import type { ReadRow, VaultKeys } from "./vault-keys.ts";

/** Of a key store's 1,000 creations in one call each of these takes at most two: one is an audit key. */
const CREATIONS = 500;

const SUBJECT_KINDS: readonly KeyKind[] = ["subject", "tenant-subject"];

const KIND_OF: Readonly<Record<Scope, KeyKind | null>> = {
  record: null,
  subject: "subject",
  tenant: "tenant-subject",
};

/** One sealer for each request, in their order. @throws VaultError what fails all of them */
export async function sealersFor(
  keys: VaultKeys,
  people: People,
  requests: readonly SealerRequest[],
  signal: AbortSignal | undefined,
): Promise<readonly (Sealer | VaultError)[]> {
  const results: (Sealer | VaultError | null)[] = requests.map(problemOf);
  try {
    for (let attempt = 1; attempt <= MAKE_ATTEMPTS; attempt++) {
      const open = results.flatMap((result, index) => (result === null ? [index] : []));
      if (open.length === 0) break;
      const round = new Round(keys, people, signal);
      try {
        const sealers = await round.run(open.flatMap((index) => requests[index] ?? []));
        for (const [n, index] of open.entries()) results[index] = sealers[n] ?? null;
      } finally {
        round.end();
      }
    }
  } catch (error) {
    disposeAll(results);
    throw error;
  }
  return results.map((result) => result ?? keySetMoved());
}

/** Somebody in a round. */
interface Person {
  readonly id: SubjectId;
  /** Null: only the id was said, and the name is not opened yet. */
  named: Named | null;
  /** Of somebody new, until they are made: the hash of the name. */
  tag: Uint8Array | null;
  /** At which that hash may be stored; null: there is none, or it may not. */
  readonly epoch: Epoch | null;
  /** Whether the id is known to be the name's. */
  isProved: boolean;
  /** Made in this round, and no sealer has said so yet. */
  isMade: boolean;
  problem: VaultError | null;
}

const OF_NOBODY_NEW = { tag: null, epoch: null } as const;

/** Of a key and of the hash of a name: what was made of either before the gate moved is not stored after it. */
const earlierEpoch = (epoch: Epoch, person: Person | null): Epoch =>
  isNew(person) ? (Math.min(epoch, person.epoch ?? 0) as Epoch) : epoch;

type NewPerson = Person & { readonly tag: Uint8Array; readonly named: Named };

/** A key in a round. */
interface Slot {
  readonly name: KeyName;
  /** Whose; null: a collection's. */
  readonly person: Person | null;
  /** What the round has opened or made. Its first use is counted already. */
  opened: OpenedKey | null;
  /** Null: there is none, or it is not sound. */
  read: ReadRow | null;
  isUsed: boolean;
  problem: VaultError | null;
}

/** What is to be made, with its key when it has one. */
interface Making {
  readonly slot: Slot | null;
  readonly person: Person | null;
  readonly fresh: FreshKey | null;
  readonly creation: Creation;
  /** The audit key that comes with it. */
  readonly audit: FreshKey | null;
}

class Round {
  readonly #keys: VaultKeys;
  readonly #people: People;
  readonly #signal: AbortSignal | undefined;
  /** By what was said of them: a name, or an id. */
  readonly #persons = new Map<string, Person>();
  readonly #slots = new Map<string, Slot>();

  constructor(keys: VaultKeys, people: People, signal: AbortSignal | undefined) {
    this.#keys = keys;
    this.#people = people;
    this.#signal = signal;
  }

  /** Null in the place of a request that has to be tried again. */
  async run(requests: readonly SealerRequest[]): Promise<readonly (Sealer | VaultError | null)[]> {
    await this.#findPeople(requests);
    for (const request of requests) this.#chooseKeys(request);
    await this.#openKeys();
    await this.#proveNames();
    await this.#make();
    const sealers: (Sealer | VaultError | null)[] = [];
    try {
      for (const request of requests) sealers.push(await itsOwn(() => this.#sealer(request)));
    } catch (error) {
      disposeAll(sealers);
      throw error;
    }
    return sealers;
  }

  /** Wipes what the round has opened for itself. */
  end(): void {
    for (const { opened } of this.#slots.values()) opened?.key.wipe();
  }

  async #findPeople(requests: readonly SealerRequest[]): Promise<void> {
    const unknown = new Map<string, Named>();
    for (const { whom, also } of requests) {
      if (whom.kind === "id") this.#person(whom.id, whom.id, this.#people.knownById(whom.id));
      for (const named of namesIn(whom, also)) {
        const id = this.#people.known(named);
        if (id === null) unknown.set(textOf(named), named);
        else this.#person(textOf(named), id, named);
      }
    }
    const found = await this.#people.find([...unknown.values()], this.#signal);
    for (const [index, [said, named]] of [...unknown].entries()) {
      const one = found[index];
      if (one === undefined) continue;
      const { tag, epoch } = one.isNew ? one : OF_NOBODY_NEW;
      this.#persons.set(said, { id: one.id, named, tag, epoch, isProved: one.isNew, isMade: false, problem: null });
    }
  }

  #person(said: string, id: SubjectId, named: Named | null): void {
    const isProved = named !== null;
    this.#persons.set(said, { id, named, ...OF_NOBODY_NEW, isProved, isMade: false, problem: null });
  }

  /** The key of whom a version is about; of others only if they are new, and get one. */
  #chooseKeys({ scope, whom, also }: SealerRequest): void {
    const kind = KIND_OF[scope];
    if (kind === null) return;
    if (whom.kind === "nobody") this.#choose({ kind: "collection", owner: whom.collection }, null);
    const main = this.#persons.get(saidIn(whom));
    if (main !== undefined) this.#choose({ kind, owner: main.id }, main);
    for (const person of this.#alsoOf(whom, also))
      if (person.tag !== null) this.#choose({ kind, owner: person.id }, person);
  }

  #choose(name: KeyName, person: Person | null): void {
    const id = slotId(name);
    if (this.#slots.has(id)) return;
    const opened = isNew(person) ? null : this.#keys.atHand(name);
    this.#slots.set(id, { name, person, opened, read: null, isUsed: false, problem: null });
  }

  async #openKeys(): Promise<void> {
    const unread = [...this.#slots.values()].filter(({ opened, person }) => opened === null && !isNew(person));
    const { forgets } = this.#keys;
    const rows = await this.#keys.activeRows(unread.map(({ name }) => name));
    await mapKeys(unread, this.#signal, async (slot, index) => {
      const row = rows[index] ?? null;
      const opened =
        row === null || row instanceof VaultError
          ? row
          : await itsOwn(() => this.#keys.active(slot.name, this.#signal, { row, forgets }));
      if (opened instanceof VaultError) slot.problem = opened;
      else slot.opened = opened;
      if (row !== null && !(row instanceof VaultError)) slot.read = { row, forgets };
    });
  }

  /** That ids which the key store gave are those of the names, and how those are called who were said by id. */
  async #proveNames(): Promise<void> {
    const unproved = [...new Set(this.#persons.values())].filter(({ isProved }) => !isProved);
    const atHand = (id: SubjectId): OpenedKey | null => {
      const slots = SUBJECT_KINDS.flatMap((kind) => this.#slots.get(slotId({ kind, owner: id })) ?? []);
      return slots.find(({ opened }) => opened !== null)?.opened ?? null;
    };
    const names = await this.#people.names(
      unproved.map(({ id }) => id),
      this.#signal,
      atHand,
    );
    for (const [index, person] of unproved.entries()) {
      const proved = await itsOwn(() => Promise.resolve(requireSame(names[index], person.named)));
      if (proved instanceof VaultError) person.problem = proved;
      else [person.named, person.isProved] = [proved, true];
    }
  }

  /** Makes the people and the keys that are not there. */
  async #make(): Promise<void> {
    const since = this.#keys.now();
    const makings: Making[] = [];
    try {
      const missing = [...this.#slots.values()].filter(
        ({ opened, read, problem, person }) =>
          opened === null && read === null && problem === null && (person?.isProved ?? true),
      );
      await mapKeys(missing, this.#signal, async (slot) => {
        const fresh = await this.#keys.make(slot.name, 1, slot.person?.named?.tenant ?? DEFAULT_TENANT, this.#signal);
        const { person } = slot;
        const owner = ownerOfKey(slot.name);
        const key = { version: fresh.row.version, key: fresh.key };
        const name = isNew(person) ? this.#people.row(person, owner, key) : null;
        const epoch = earlierEpoch(fresh.epoch, person);
        const creation = { epoch, name, key: fresh.row };
        const at = { epoch, generation: fresh.row.generation };
        makings.push({ slot, person, fresh, creation, audit: this.#auditKey(slot.name, at) });
      });
      const keyless = [...new Set(this.#persons.values())].filter(
        (person): person is NewPerson => isNew(person) && !missing.some((slot) => slot.person === person),
      );
      for (const making of await this.#nameOnly(keyless)) makings.push(making);
      for (let start = 0; start < makings.length; start += CREATIONS)
        await this.#create(makings.slice(start, start + CREATIONS), since);
    } finally {
      for (const { fresh, audit } of makings) {
        fresh?.key.wipe();
        audit?.key.wipe();
      }
    }
  }

  /** Null: there is no audit. */
  #auditKey(name: KeyName, at: MadeAt): FreshKey | null {
    const owner = auditOwnerOf(name);
    return owner === null ? null : (this.#keys.audit?.make(owner, at) ?? null);
  }

  /** People without a key of their own: the vault's names key seals what they are called. */
  async #nameOnly(people: readonly NewPerson[]): Promise<readonly Making[]> {
    if (people.length === 0) return [];
    const { keySets } = this.#keys.dependencies;
    const { epoch, generation } = await keySets.forWriting();
    const { key: handle, ...others } = await this.#keys.own("names", this.#signal);
    using key = handle;
    const names = { ...others, key };
    return people.map((person) => {
      const name = this.#people.row(person, ownerOfKey(names), names);
      const audit = this.#auditKey({ kind: "subject", owner: person.id }, { epoch, generation });
      return {
        slot: null,
        person,
        fresh: null,
        creation: { epoch: earlierEpoch(epoch, person), name, key: null },
        audit,
      };
    });
  }

  async #create(makings: readonly Making[], since: number): Promise<void> {
    this.#keys.requireOpen();
    if (this.#signal?.aborted === true) throw new VaultError("aborted", "The caller gave up");
    const { store } = this.#keys.dependencies;
    // Where the answer is lost, what was made is found by the next round.
    const auditKeys = makings.flatMap(({ audit }) => audit ?? []);
    const results = await createdOrLost(store.keys, [
      ...makings.map(({ creation }) => creation),
      ...auditKeys.map(({ epoch, row }) => ({ epoch, name: null, key: row })),
    ]);
    for (const [index, making] of makings.entries()) this.#created(making, results[index], since);
    for (const [index, fresh] of auditKeys.entries())
      if (results[makings.length + index]?.kind === "made") this.#keys.audit?.made(fresh);
  }

  #created({ slot, person, fresh }: Making, result: CreationResult | undefined, since: number): void {
    const { keySets } = this.#keys.dependencies;
    if (result?.kind === "made") {
      const tenant = person?.named?.tenant ?? DEFAULT_TENANT;
      if (person !== null) this.#madePerson(person);
      if (slot !== null && fresh !== null) slot.opened = this.#keys.keep(fresh, tenant, since);
      return;
    }
    if (result?.kind === "gate-moved") keySets.moved();
    if (result?.kind !== "erased" || person === null) return;
    // By name, the next round finds somebody new.
    this.#people.forget(person.id);
    if (this.#persons.get(person.id) === person)
      person.problem = new VaultError("subject-erased", "The person was erased");
  }

  #madePerson(person: Person): void {
    person.tag = null;
    person.isMade = true;
    if (person.named !== null) this.#people.learn(person.id, person.named);
  }

  async #sealer({ scope, whom, also }: SealerRequest): Promise<Sealer | null> {
    const main = this.#persons.get(saidIn(whom)) ?? null;
    const others = this.#alsoOf(whom, also);
    for (const person of main === null ? others : [main, ...others]) {
      if (person.problem !== null) throw person.problem;
      if (isNew(person)) return null;
    }
    const kind = KIND_OF[scope];
    const name: KeyName | null =
      kind === null
        ? null
        : whom.kind === "nobody"
          ? { kind: "collection", owner: whom.collection }
          : { kind, owner: main?.id ?? "" };
    const key = name === null ? null : await this.#use(name);
    if (name !== null && key === null) return null;
    try {
      if (key !== null && key.tenant !== null && key.tenant !== main?.named?.tenant)
        throw keyTampered("A person's key is under another tenant's key");
      const about = [...new Set(others.map(({ id }) => id))].filter((id) => id !== main?.id).sort();
      const text = key ?? (await this.#keys.own("names", this.#signal));
      const isMade = main?.isMade ?? false;
      if (main !== null) main.isMade = false;
      return new KeySealer({
        vault: this.#keys.dependencies.vault,
        subject:
          whom.kind === "nobody" ? branchKeyId({ kind: "collection", owner: whom.collection }) : (main?.id ?? ""),
        name: main?.named?.name ?? null,
        tenant: main?.named?.tenant ?? DEFAULT_TENANT,
        isNew: isMade,
        about,
        subjects: unitSubjects(main === null ? null : { id: main.id, scope, ordinal: key?.ordinal ?? 0 }, about),
        sealing: key,
        text,
      });
    } catch (error) {
      key?.key.wipe();
      throw error;
    }
  }

  /** A handle on a key for one version; null: it is not there yet. */
  async #use(name: KeyName): Promise<OpenedKey | null> {
    const slot = this.#slots.get(slotId(name));
    if (slot === undefined) return null;
    if (slot.problem !== null) throw slot.problem;
    if (slot.opened === null) return null;
    if (slot.isUsed) return this.#keys.active(name, this.#signal, slot.read ?? undefined);
    slot.isUsed = true;
    return { ...slot.opened, key: slot.opened.key.share() };
  }

  #alsoOf(whom: Whom, also: readonly Subject[]): readonly Person[] {
    const tenant = tenantOf(whom);
    return also.flatMap((name) => this.#persons.get(textOf({ tenant, name })) ?? []);
  }
}

/** What cannot be asked for; null: it can. */
function problemOf({ scope, whom, also }: SealerRequest): VaultError | null {
  if (!Object.hasOwn(KIND_OF, scope)) return new VaultError("vault-option-invalid", "There is no such scope of keys");
  if (!isTenant(tenantOf(whom))) return new VaultError("tenant-invalid", "A tenant has up to 63 letters and digits");
  const isWhom =
    whom.kind === "name"
      ? isText(whom.name)
      : whom.kind === "id"
        ? isSubjectId(whom.id)
        : isCollection(whom.collection);
  if (isWhom && also.every(isText)) return null;
  return new VaultError("subject-invalid", "Whom a record is about must be said by a name, an id or a collection");
}

/** A name has no separator of its own, or two people's names could be one text. */
function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "" && value.isWellFormed() && !value.includes("\0");
}

function tenantOf(whom: Whom): Tenant {
  return whom.kind === "nobody" ? DEFAULT_TENANT : whom.tenant;
}

function namesIn(whom: Whom, also: readonly Subject[]): readonly Named[] {
  const tenant = tenantOf(whom);
  const names = whom.kind === "name" ? [whom.name, ...also] : also;
  return names.map((name) => ({ tenant, name }));
}

function saidIn(whom: Whom): string {
  return whom.kind === "name" ? textOf(whom) : whom.kind === "id" ? whom.id : "";
}

function slotId({ kind, owner }: KeyName): string {
  return `${kind} ${owner}`;
}

function isNew(person: Person | null): person is NewPerson {
  return person !== null && person.tag !== null;
}

/** Everybody, each once, in the order of their ids. */
function unitSubjects(main: UnitSubject | null, about: readonly SubjectId[]): readonly UnitSubject[] {
  const others = about.map((id): UnitSubject => ({ id, scope: "record", ordinal: 0 }));
  return [...(main === null ? [] : [main]), ...others].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function disposeAll(results: readonly (Sealer | VaultError | null)[]): void {
  for (const result of results) if (result !== null && !(result instanceof VaultError)) result[Symbol.dispose]();
}
