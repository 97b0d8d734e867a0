/**
 * What is declared of a collection: which keys its records hang on, whom they are about, and whether their ids may be
 * read by whoever reads the database.
 */
import { createHash } from "node:crypto";
import { ownOptions } from "@strongroom/base/options";
import { VaultError } from "../errors.ts";
import { DEFAULT_TENANT, isTenant } from "../keys/key-binding.ts";
import type { Tenant } from "../keys/subject-keys.ts";
import { CONSENTS, isCollection } from "../records/address.ts";
import type { Collection, Subject } from "../records/address.ts";
import type { Scope } from "../stores/subjects.ts";
import { parseFields } from "./fields.ts";
import type { CompoundIndexOptions, DeclaredFields, FieldOptions } from "./fields.ts";
import { MAX_PURPOSES, purposesOf } from "./purposes.ts";
import type { PurposeOptions } from "./purposes.ts";
import { declaredRights, RIGHTS_MEMBERS } from "./rights.ts";
import type { DeclaredRights, RightsOptions } from "./rights.ts";
import { withoutNever } from "./never.ts";
import { documentSchema, isSchemaInput } from "./schema.ts";
import type { DocumentSchema, SchemaInput } from "./schema.ts";

/** A collection, as the options of a vault declare it. */
export interface CollectionOptions extends RightsOptions {
  /** Left out: the vault's. */
  readonly scope?: Scope;
  /**
   * Whom a record is about when its writer does not say: whoever a field of the document names, whoever has the
   * record's id for a name, or `none`: nobody, and then the collection has one key. Left out: `COLLECTION/ID`, somebody
   * who is in no other record.
   */
  readonly subject?: "id" | "none" | { readonly field: string };
  /**
   * `public`, when left out: the database, its backups and the KMS's log have the ids in clear. `sealed`: they have a
   * keyed hash of each; the list of the collection is in no order then.
   */
  readonly ids?: "public" | "sealed";
  /** Of `tenant` scope: whose key wraps the people's keys. Left out: `default`. */
  readonly tenant?: string | { readonly field: string };
  /**
   * What its records may be used for: codes of up to 64 of `a-z0-9.-`, one of which each call must name then
   * (`vault.as({ purpose })`). Left out: nothing has to be said. Only of a vault with an audit.
   */
  readonly purposes?: readonly (string | PurposeOptions)[];
  /** What its documents must be like. Left out: anything that JSON holds. */
  readonly schema?: SchemaInput;
  /**
   * What is declared of fields, by their paths: what records are found by, and what is seen of them by whom. Left out:
   * nothing, and no record is found but by its id.
   */
  readonly fields?: Readonly<Record<string, FieldOptions>>;
  /** Indexes of several fields together, by their names: `[a-z][a-z0-9_-]{0,62}`. */
  readonly indexes?: Readonly<Record<string, CompoundIndexOptions>>;
}

/** A declaration with everything in it. */
export interface Declaration extends DeclaredFields {
  readonly collection: Collection;
  readonly scope: Scope;
  readonly subject: "record" | "id" | "none" | { readonly field: string };
  readonly ids: "public" | "sealed";
  readonly tenant: Tenant | { readonly field: string };
  /** Null: none is declared, and none has to be said. */
  readonly purposes: readonly string[] | null;
  /** Null: documents are what they are. */
  readonly schema: DocumentSchema | null;
  /** What is declared for the people whom records are about. */
  readonly rights: DeclaredRights;
}

/** Name of somebody who is in one record only. */
export const nameOfRecord = (collection: string, id: string): Subject => `${collection}/${id}` as Subject;

/**
 * Checks a tenant.
 *
 * @throws VaultError `tenant-invalid`
 * @example
 * ```ts
 * import { parseTenant } from "@strongroom/vault";
 *
 * console.log(parseTenant("acme-2026")); // prints: acme-2026
 * ```
 */
export function parseTenant(value: unknown): Tenant {
  if (isTenant(value)) return value;
  throw new VaultError(
    "tenant-invalid",
    "A tenant is a lower-case letter or digit followed by up to 62 lower-case letters, digits, '.', '_' or '-'",
  );
}

/** Collections that are not declared and not written to by callers. */
export const RESERVED: ReadonlySet<string> = new Set([CONSENTS]);

/** Most characters of a field that a declaration names. */
const MAX_FIELD_LENGTH = 256;

export const SCOPES: readonly Scope[] = ["record", "subject", "tenant"];

/** Member of a declaration -> whether a value will do, and what it must be. */
const MEMBERS: Readonly<Record<keyof CollectionOptions, readonly [is: (value: unknown) => boolean, mustBe: string]>> = {
  scope: [(value) => SCOPES.includes(value as Scope), 'one of "record", "subject", "tenant"'],
  subject: [
    (value) => value === "id" || value === "none" || fieldOf(value) !== null,
    'one of "id", "none", { field: NAME }',
  ],
  ids: [(value) => value === "public" || value === "sealed", 'one of "public", "sealed"'],
  tenant: [
    (value) => isTenant(value) || fieldOf(value) !== null,
    "a tenant (up to 63 of a-z, 0-9, '.', '_', '-') or { field: NAME }",
  ],
  schema: [isSchemaInput, "a Standard Schema or a JSON Schema"],
  // Read with everything that is wrong with each.
  fields: [() => true, "an object"],
  indexes: [() => true, "an object"],
  // Copied when they are taken: here they are looked at alone.
  purposes: [
    (value) => purposesOf(value) !== null,
    `a list of 1 to ${MAX_PURPOSES} codes (up to 64 of a-z, 0-9, '.', '-'), or of { code, consent, basis, description }`,
  ],
  ...RIGHTS_MEMBERS,
};

/** The collections of a vault: those that are declared, and all others as they are when nothing is. */
export class Declarations {
  readonly #scope: Scope;
  readonly #declared: ReadonlyMap<string, Declaration>;
  /** Of a collection that is not declared, but for its name. */
  readonly #undeclared: Omit<Declaration, "collection">;

  constructor(scope: Scope, declared: readonly Declaration[] = []) {
    this.#scope = scope;
    this.#undeclared = withDefaults({}, scope);
    this.#declared = new Map(declared.map((declaration) => [declaration.collection, declaration]));
  }

  /** Whether a collection declares what it may be used for. */
  get havePurposes(): boolean {
    return [...this.#declared.values()].some(({ purposes }) => purposes !== null);
  }

  /** Of the scopes that are declared, 64 hexadecimal digits: equal where each collection is in one scope in both. */
  get scopesDigest(): string {
    const others = [...this.#declared.values()].filter(({ scope }) => scope !== this.#scope);
    const told = others.map(({ collection, scope }) => `${collection} ${scope}`).sort();
    return createHash("sha256")
      .update(JSON.stringify([this.#scope, told]))
      .digest("hex");
  }

  /** Those that are declared, in the order of their names. */
  get all(): readonly Declaration[] {
    return [...this.#declared.values()].sort((a, b) => (a.collection < b.collection ? -1 : 1));
  }

  of(collection: Collection): Declaration {
    return this.#declared.get(collection) ?? { ...this.#undeclared, collection };
  }
}

/**
 * Reads the declarations of a vault's options.
 *
 * @param scope of the collections that declare none
 * @throws VaultError `vault-option-invalid` with everything that is wrong
 */
export async function parseCollections(given: unknown, scope: Scope): Promise<Declarations> {
  const { values, problems: found } = byName(given ?? {});
  const problems = [...found];
  const declared: Declaration[] = [];
  const schemas = new Map<Collection, SchemaInput>();
  for (const [name, value] of Object.entries(values)) {
    const shown = JSON.stringify(name.slice(0, 64));
    if (!isCollection(name)) {
      problems.push(`${shown} is no name of a collection`);
      continue;
    }
    if (RESERVED.has(name)) problems.push(`${shown} is the vault's own`);
    const own = ownOptions(value, Object.keys(MEMBERS), `what ${shown} declares`);
    for (const problem of own.problems) problems.push(problem);
    for (const [member, [isRight, mustBe]] of Object.entries(MEMBERS))
      if (member in own.values && !isRight(own.values[member])) problems.push(`${shown}: ${member} must be ${mustBe}`);
    const wrong: string[] = [];
    const ofFields = parseFields(own.values, wrong);
    for (const problem of wrong) problems.push(`${shown}: ${problem}`);
    declared.push({ collection: name, ...withDefaults(own.values, scope), ...ofFields });
    const { schema } = own.values;
    if (isSchemaInput(schema)) schemas.set(name, schema);
  }
  if (problems.length > 0) throw new VaultError("vault-option-invalid", `collections: ${problems.join("; ")}`);
  const ready = declared.map(async (one): Promise<Declaration> => {
    const given = schemas.get(one.collection);
    const schema = given === undefined ? null : await documentSchema(given, one.collection);
    return { ...one, schema: withoutNever(schema, one.fields, one.collection) };
  });
  return new Declarations(scope, await Promise.all(ready));
}

/** An object by the names of collections, or a list of what `defineCollection` made. */
function byName(given: unknown): ReturnType<typeof ownOptions> {
  if (!Array.isArray(given)) {
    const names = typeof given === "object" && given !== null ? Object.keys(given) : [];
    return ownOptions(given, names, "collections");
  }
  const handles = Array.from(given as unknown[]);
  const values = Object.create(null) as Record<string, unknown>;
  const problems: string[] = [];
  for (const handle of handles) {
    if (!isHandle(handle)) problems.push("a list of collections has only what defineCollection made");
    else if (handle.name in values) problems.push(`${JSON.stringify(handle.name)} is declared twice`);
    else values[handle.name] = handle.options;
  }
  return { values, problems };
}

/** Whether a value is what `defineCollection` made. */
function isHandle(value: unknown): value is { readonly name: string; readonly options: CollectionOptions } {
  if (typeof value !== "object" || value === null) return false;
  return typeof Reflect.get(value, "name") === "string" && Object.hasOwn(value, "options");
}

/** Copies, so that nobody changes a declaration afterwards. */
function withDefaults(given: CollectionOptions, scope: Scope): Omit<Declaration, "collection"> {
  const { subject = "record", tenant = DEFAULT_TENANT, ids = "public" } = given;
  const purposes = purposesOf(given.purposes);
  return {
    scope: given.scope ?? scope,
    subject: fieldOf(subject) ?? subject,
    ids,
    tenant: fieldOf(tenant) ?? tenant,
    purposes: purposes?.map(({ code }) => code) ?? null,
    schema: null,
    fields: new Map(),
    indexes: new Map(),
    rights: declaredRights(given, purposes ?? []),
  };
}

/** Null: the value names no field. */
function fieldOf(value: unknown): { readonly field: string } | null {
  if (typeof value !== "object" || value === null) return null;
  const { values, problems } = ownOptions(value, ["field"]);
  const { field } = values;
  const isName = typeof field === "string" && field !== "" && field.length <= MAX_FIELD_LENGTH;
  return problems.length === 0 && isName ? { field } : null;
}
