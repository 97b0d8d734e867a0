/**
 * What one caller may, of the collections of one vault: asked before anything is looked up, so that whoever may not
 * learns nothing by the answer.
 */
import type { Declaration, Declarations } from "../collections/declaration.ts";
import { VaultError } from "../errors.ts";
import type { Collection } from "../records/address.ts";
import type { JsonObject, JsonValue } from "../records/document.ts";
import { covers, EVERYTHING, isPath } from "./paths.ts";
import { decide } from "./policy.ts";
import type { Action, Policy } from "./policy.ts";
import { fieldsOf, restricted, viewOf } from "./view.ts";
import type { View } from "./view.ts";

/** Who is asking, by roles. */
export interface Roles {
  /** Names of roles. What no role of these allows is refused. */
  readonly roles: readonly string[];
}

/** Most fields that one read names. */
export const MOST_FIELDS = 64;

/** How a caller writes: documents as they are, or fields of them over what is stored. */
export type WriteMode = "whole" | "part";

const WHOLE: View = { kind: "whole" };

/** What a caller may. */
export class Access {
  readonly #policy: Policy;
  readonly #declarations: Declarations;
  /** Null: whoever has the vault itself, and may do everything. */
  readonly #roles: readonly string[] | null;
  readonly #purpose: string | undefined;
  readonly #views = new Map<Collection, View>();

  constructor(
    { policy, declarations }: { readonly policy: Policy; readonly declarations: Declarations },
    caller: (Roles & { readonly purpose?: string | undefined }) | null,
  ) {
    this.#policy = policy;
    this.#declarations = declarations;
    this.#roles = caller === null ? null : [...caller.roles];
    this.#purpose = caller?.purpose;
  }

  /** What is seen of documents of a collection. */
  view(collection: Collection): View {
    if (this.#roles === null) return WHOLE;
    const known = this.#views.get(collection);
    if (known !== undefined) return known;
    const asked = { roles: this.#roles, collection, purpose: this.#purpose };
    const { fields } = this.#declarations.of(collection);
    const view = viewOf(this.#policy.rulesFor(asked), this.#policy.rulesForAny(asked), fields);
    this.#views.set(collection, view);
    return view;
  }

  /**
   * The same of some fields; of all that may be seen when they are left out.
   *
   * @throws VaultError `not-permitted`, `field-forbidden`, `fields-invalid`
   */
  requireView(collection: Collection, fields?: readonly string[]): View {
    const view = this.view(collection);
    if (view.kind === "none") throw this.#refusal("read", collection);
    if (fields === undefined) return view;
    const found = restricted(view, parsedFields(fields));
    if (!("forbidden" in found)) return found;
    throw new VaultError("field-forbidden", `The caller's roles do not show the field ${shownPath(found.forbidden)}`);
  }

  /** That documents are seen whole. @throws VaultError `not-permitted` */
  requireWhole(collection: Collection): void {
    if (this.view(collection).kind !== "whole") throw this.#refusal("read", collection);
  }

  /**
   * That ids may be listed: by whoever sees something of the documents, but where ids are nobody's to see, or are names
   * of people, by whoever sees them whole.
   *
   * @throws VaultError `not-permitted`
   */
  requireIds(collection: Collection): void {
    const { ids, subject } = this.#declarations.of(collection);
    if (ids === "sealed" || subject === "id") this.requireWhole(collection);
    else this.requireView(collection);
  }

  /** Whether it is the vault itself that asks, whom no role binds. */
  get isUnbound(): boolean {
    return this.#roles === null;
  }

  /** That one of these is allowed, of all collections. @throws VaultError `not-permitted`: the first */
  requireAny(actions: readonly Action[]): void {
    const [first] = actions;
    if (first !== undefined && !actions.some((action) => this.#may(action, EVERYTHING)))
      throw this.#refusal(first, EVERYTHING);
  }

  /** @throws VaultError `not-permitted` */
  requireAction(action: Action, collection: Collection | typeof EVERYTHING = EVERYTHING): void {
    if (!this.#may(action, collection)) throw this.#refusal(action, collection);
  }

  /**
   * How a document may be written.
   *
   * @throws VaultError `not-permitted`; `field-forbidden`: it has a unique field that the caller may not find by, and
   *   whether it is taken would tell who is there
   */
  requireWrite(collection: Collection, document: object): WriteMode {
    if (this.#roles === null) return "whole";
    const fields = this.#writable(collection);
    if (fields.length === 0) throw this.#refusal("write", collection);
    this.#requireFindable(collection, document);
    const view = this.view(collection);
    return fields.includes(EVERYTHING) && (view.kind === "whole" || view.kind === "none") ? "whole" : "part";
  }

  /** That documents are written as they are, many or prepared. @throws VaultError as `requireWrite` does */
  requireWholeWrite(collection: Collection, documents: readonly object[]): void {
    for (const document of documents.length === 0 ? [{}] : documents)
      if (this.requireWrite(collection, document) !== "whole")
        throw new VaultError(
          "not-permitted",
          `Whoever sees or writes a part of ${collection} writes one record at a time, over what is stored`,
        );
  }

  /** Whether a field may be written, with all that is in it. */
  writes(collection: Collection): (path: string) => boolean {
    const fields = this.#roles === null ? [EVERYTHING] : this.#writable(collection);
    return (path) => fields.some((one) => covers(one, path));
  }

  /** Whether something in a field may be written. */
  writesIn(collection: Collection): (path: string) => boolean {
    const fields = this.#roles === null ? [EVERYTHING] : this.#writable(collection);
    return (path) => fields.some((one) => one !== path && covers(path, one));
  }

  /** That records may be found by these fields. @throws VaultError `field-forbidden` */
  requireFind(collection: Collection, paths: readonly string[]): void {
    for (const path of paths)
      if (!this.#may("find", collection, path))
        throw new VaultError(
          "field-forbidden",
          `The caller's roles do not let it find by the field ${shownPath(path)}`,
        );
  }

  #requireFindable(collection: Collection, document: object): void {
    const declared = this.#declarations.of(collection);
    const unique = uniqueFields(declared).filter((path) => isIn(document as JsonObject, path.split(".")));
    this.requireFind(collection, unique);
  }

  #writable(collection: Collection): readonly string[] {
    const asked = { roles: this.#roles ?? [], collection, purpose: this.#purpose };
    return fieldsOf(this.#policy.rulesFor(asked), "write");
  }

  #may(action: Action, collection: string, field?: string): boolean {
    if (this.#roles === null) return true;
    return decide(this.#policy, { roles: this.#roles, purpose: this.#purpose, action, collection, field }).allowed;
  }

  #refusal(action: Action, collection: string): VaultError {
    const where = collection === EVERYTHING ? "" : ` of ${collection}`;
    const why = this.#purpose === undefined ? "and no purpose was said" : `for the purpose ${this.#purpose}`;
    return new VaultError("not-permitted", `No role of the caller allows ${action}${where}, ${why}`);
  }
}

/** Fields by which it is told whether another record has a value. */
function uniqueFields({ fields, indexes }: Pick<Declaration, "fields" | "indexes">): readonly string[] {
  const alone = [...fields].filter(([, { unique }]) => unique === true).map(([path]) => path);
  const together = [...indexes.values()].filter(({ unique }) => unique === true).flatMap((index) => index.fields);
  return [...new Set([...alone, ...together])];
}

function isIn(value: JsonValue | undefined, names: readonly string[]): boolean {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).some((one) => isIn(one, names));
  const [name, ...rest] = names;
  if (name === undefined) return value !== undefined && value !== null;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return false;
  return isIn((value as JsonObject)[name], rest);
}

/** @throws VaultError `fields-invalid` */
function parsedFields(given: unknown): readonly string[] {
  const isList = Array.isArray(given) && given.length >= 1 && given.length <= MOST_FIELDS;
  const fields = isList ? Array.from(given as readonly unknown[]) : [];
  if (fields.length > 0 && fields.every(isPath) && new Set(fields).size === fields.length) return fields;
  throw new VaultError("fields-invalid", `fields must be 1 to ${MOST_FIELDS} paths of fields, each once`);
}

/** A path is a caller's own text: what is no plain name is not repeated. */
const shownPath = (path: string): string => (/^[A-Za-z0-9_$.-]{1,128}$/.test(path) ? path : "that it names");
