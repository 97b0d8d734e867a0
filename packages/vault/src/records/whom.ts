/**
 * Whom a new version is about: what its writer says; else whoever the version before is about; else what the collection
 * declares. A plain write never changes it: what was sealed for one person would quietly be read as another's.
 */
import { nameOfRecord, parseTenant } from "../collections/declaration.ts";
import type { Declaration } from "../collections/declaration.ts";
import { VaultError } from "../errors.ts";
import { DEFAULT_TENANT } from "../keys/key-binding.ts";
import type { Tenant, Whom } from "../keys/subject-keys.ts";
import type { Dependencies } from "../limits.ts";
import type { StoredMessage } from "../stores/rows.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { isCollection, MAX_ABOUT, parseId, parseSubject } from "./address.ts";
import type { Address, Subject } from "./address.ts";
import { decodeDocument } from "./document.ts";
import { whoIs } from "./people.ts";
import { requireKeyStore } from "./version.ts";

/** Whom a write says that it is about. */
export interface WhomOptions {
  /** Whom the record is about. Left out: as it is; of a new record, as the collection declares it. */
  readonly subject?: string;
  /** Further people, at most {@link MAX_ABOUT}; the list may be empty. Left out: as before. Only with a key store. */
  readonly about?: readonly string[];
  /** Of `tenant` scope: whose people these are. Left out: as the collection declares it. Only with a key store. */
  readonly tenant?: string;
  /**
   * Whether `subject` may be somebody else than whom the record is about: it is sealed under their key from then on.
   * Without a key store any write may.
   */
  readonly repoint?: boolean;
}

/** The same as it was at the call, parsed. */
export interface Stated {
  readonly subject: Subject | null;
  /** Null: as before. */
  readonly about: readonly Subject[] | null;
  readonly tenant: Tenant | null;
  readonly isRepointed: boolean;
}

/**
 * Checks the name of somebody: the form of an id, or `COLLECTION/ID`, which is the name of who is in one record only.
 *
 * @throws VaultError `subject-invalid`
 */
export function parseName(value: string): Subject {
  const slash = typeof (value as unknown) === "string" ? value.indexOf("/") : -1;
  if (slash < 0 || !isCollection(value.slice(0, slash))) return parseSubject(value);
  return nameOfRecord(value.slice(0, slash), parseSubject(value.slice(slash + 1)));
}

/** @throws VaultError `subject-invalid`, `tenant-invalid`, `vault-option-invalid` */
export function takenWhom(
  { subject, about, tenant, repoint = false }: WhomOptions,
  { subjectKeys }: Pick<Dependencies, "subjectKeys">,
): Stated {
  if (subjectKeys === null && (about !== undefined || tenant !== undefined))
    throw new VaultError("vault-option-invalid", "about and tenant need a vault with a key store (keys)");
  const parse = subjectKeys === null ? parseSubject : parseName;
  return {
    subject: subject === undefined ? null : parse(subject),
    about: about === undefined ? null : takenAbout(about),
    tenant: tenant === undefined ? null : parseTenant(tenant),
    isRepointed: repoint,
  };
}

function takenAbout(given: unknown): readonly Subject[] {
  if (!Array.isArray(given)) throw new VaultError("subject-invalid", "Further people (about) must be a list of names");
  if (given.length > MAX_ABOUT)
    throw new VaultError("subject-invalid", `A record is about at most ${MAX_ABOUT} further people`);
  return [...new Set(Array.from(given as string[], parseName))];
}

/** Whom a version is about, before its keys are asked for. */
export interface Concern {
  readonly whom: Whom;
  readonly also: readonly Subject[];
  /** Ids that `also` must come to again; null: they were named by the writer. */
  readonly inherited: readonly SubjectId[] | null;
}

/** What a version comes after: a stored one, one of the same unit, or none. */
export type Before =
  | { readonly kind: "none" }
  | { readonly kind: "stored"; readonly stored: StoredMessage }
  | { readonly kind: "planned"; readonly concern: Concern };

/** A new version, as far as it says whom it is about. */
export interface ConcernInput {
  /** The record's own address, not its row's. */
  readonly address: Address;
  readonly stated: Stated;
  readonly plaintext: Uint8Array;
  readonly before: Before;
  readonly signal: AbortSignal | undefined;
}

/**
 * @throws VaultError `subject-differs`, `subject-missing`, `tenant-invalid`, `subject-invalid`; what asking the key
 *   store throws
 */
export async function concernOf(
  { store, subjectKeys, declarations }: Pick<Dependencies, "store" | "subjectKeys" | "declarations">,
  { address, stated, plaintext, before, signal }: ConcernInput,
): Promise<Concern> {
  if (subjectKeys === null) return concernInClear(address, stated, before);
  const declaration = declarations.of(address.collection);
  const fields = fieldsOf(declaration, plaintext);
  const tenant = stated.tenant ?? declaredTenant(declaration, fields);
  const old = whomBefore(before, tenant);
  // Where a record is to be about somebody else, and its document says who, that is who is meant.
  const named =
    stated.subject ??
    (stated.isRepointed && typeof declaration.subject === "object" ? declaredName(address, declaration, fields) : null);
  if (old === null) return { whom: firstWhom(), also: stated.about ?? [], inherited: null };
  const whom = named === null ? old : await namedWhom(named, old);
  if (named === null && stated.tenant !== null) await requireTenant(old, stated.tenant);
  return { whom, ...(await further()) };

  function firstWhom(): Whom {
    if (named === null && declaration.subject === "none") return { kind: "nobody", collection: address.collection };
    return { kind: "name", name: named ?? declaredName(address, declaration, fields), tenant };
  }

  async function namedWhom(name: Subject, is: Whom): Promise<Whom> {
    if (await isOf(name, tenant, is)) return is;
    if (stated.isRepointed) return { kind: "name", name, tenant };
    throw new VaultError("subject-differs", "The write names another person than the record is about");
  }

  async function requireTenant(is: Whom, of: Tenant): Promise<void> {
    const name = is.kind === "id" ? await requireKeyStore(subjectKeys).nameOf(is.id, signal) : null;
    if (name === null ? is.kind === "name" && is.tenant !== of : !(await isOf(name, of, is)))
      throw new VaultError("subject-differs", "The write names another tenant than the record's person is of");
  }

  async function isOf(name: Subject, of: Tenant, is: Whom): Promise<boolean> {
    if (is.kind === "nobody") return false;
    // Of the first scheme only the name is known.
    if (is.kind === "name") return is.name === name && (before.kind === "stored" || is.tenant === of);
    const [keys, named] = [requireKeyStore(subjectKeys), { name, tenant: of }];
    const [id] = await keys.resolve([named], signal);
    return id === is.id || (id !== null && (await whoIs({ store }, keys, named, signal))?.id === is.id);
  }

  async function further(): Promise<Pick<Concern, "also" | "inherited">> {
    if (stated.about !== null) return { also: stated.about, inherited: null };
    if (before.kind === "planned") return { also: before.concern.also, inherited: before.concern.inherited };
    const about = before.kind === "stored" ? before.stored.about : [];
    const also: Subject[] = [];
    const keys = requireKeyStore(subjectKeys);
    for (const id of about) also.push(await keys.nameOf(id, signal));
    // In another tenant the same names would make other people.
    const found = await keys.resolve(
      also.map((name) => ({ name, tenant })),
      signal,
    );
    if (found.some((id, index) => id !== about[index]))
      throw new VaultError("subject-differs", "The write names another tenant than the record's further people are of");
    return { also, inherited: about };
  }
}

/** Whoever the version before is about; null: there is none. A name of the first scheme is of no tenant. */
function whomBefore(before: Before, tenant: Tenant): Whom | null {
  if (before.kind === "none") return null;
  if (before.kind === "planned") return before.concern.whom;
  const { scheme, subject } = before.stored;
  if (scheme === 1) return { kind: "name", name: subject, tenant: DEFAULT_TENANT };
  if (isSubjectId(subject)) return { kind: "id", id: subject, tenant };
  return { kind: "nobody", collection: subject.slice("collection:".length) as Address["collection"] };
}

/** Without a key store: by the name that the writer says, that the record has, or that is the record's id. */
function concernInClear({ id }: Address, { subject }: Stated, before: Before): Concern {
  const old = whomBefore(before, DEFAULT_TENANT);
  const whom: Whom =
    subject !== null || old === null
      ? { kind: "name", name: subject ?? (id as string as Subject), tenant: DEFAULT_TENANT }
      : old;
  return { whom, also: [], inherited: null };
}

/**
 * Whether a version would be about the same people as the one before it. Of the writer's words: names in any order.
 *
 * @throws VaultError what asking the key store throws
 */
export async function isAsBefore(
  { subjectKeys }: Pick<Dependencies, "subjectKeys">,
  { whom, also }: Concern,
  before: Before,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (before.kind === "none") return false;
  const old = whomBefore(before, DEFAULT_TENANT);
  if (old === null || !isSameWhom(whom, old)) return false;
  const others = new Set<Subject>();
  if (before.kind === "planned") for (const name of before.concern.also) others.add(name);
  else for (const id of before.stored.about) others.add(await requireKeyStore(subjectKeys).nameOf(id, signal));
  return others.size === new Set(also).size && also.every((name) => others.has(name));
}

function isSameWhom(a: Whom, b: Whom): boolean {
  if (a.kind === "id") return b.kind === "id" && a.id === b.id;
  if (a.kind === "name") return b.kind === "name" && a.name === b.name && a.tenant === b.tenant;
  return b.kind === "nobody";
}

/** Whether something of a concern is only as the version before has it, which its message must prove. */
export function isInherited({ subject, about }: Stated, { stored }: { readonly stored: StoredMessage }): boolean {
  return subject === null || (stored.scheme === 2 && about === null);
}

interface Fields {
  readonly subject: unknown;
  readonly tenant: unknown;
}

/** What the document has in the declared fields: read from its bytes, which are what is stored. */
function fieldsOf({ subject, tenant }: Declaration, plaintext: Uint8Array): Fields {
  if (typeof subject !== "object" && typeof tenant !== "object") return { subject: undefined, tenant: undefined };
  const document = decodeDocument(plaintext);
  const own = (field: string): unknown => (Object.hasOwn(document, field) ? document[field] : undefined);
  return {
    subject: typeof subject === "object" ? own(subject.field) : undefined,
    tenant: typeof tenant === "object" ? own(tenant.field) : undefined,
  };
}

function declaredTenant({ tenant }: Declaration, fields: Fields): Tenant {
  return typeof tenant === "object" ? parseTenant(fields.tenant) : tenant;
}

/** @throws VaultError `subject-missing`, `subject-invalid` */
function declaredName({ collection, id }: Address, { subject }: Declaration, fields: Fields): Subject {
  if (subject === "id") return parseId(id) as string as Subject;
  if (typeof subject !== "object") return nameOfRecord(collection, id);
  if (typeof fields.subject === "string" && fields.subject !== "") return parseName(fields.subject);
  throw new VaultError("subject-missing", "The field that the collection declares as its subject names nobody");
}
