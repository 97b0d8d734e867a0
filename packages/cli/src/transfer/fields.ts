// Which fields of the documents are imported: all, all but some, or some. And which of them look like passwords, so
// that nobody keeps the hashes of an export of accounts without knowing.
import { type Document, type Field, isDocument } from "../formats/document.ts";
import type { FieldNames } from "./named-fields.ts";

/** What a person chose; null: all. A field inside of a list is that field of each item. */
export type FieldChoice = { readonly kind: "drop" | "only"; readonly fields: readonly string[] } | null;

/** Takes documents in, and knows afterwards what was in them. */
export interface FieldFilter {
  take(document: Document): Document;
  /** Fields of the choice that no document had: a misspelt one leaves nothing out. */
  unused(): readonly string[];
  /** Fields that were kept and are named as passwords are, without doubles. */
  passwords(): readonly string[];
}

/** Makes it. */
export function fieldFilter(choice: FieldChoice, names: FieldNames): FieldFilter {
  const chosen = choice === null ? [] : choice.fields.flatMap((list) => names.list(choice.kind, list));
  const used = new Set<string>();
  const passwords = new Set<string>();
  return {
    take: (document) => {
      for (const { text, field } of chosen) if (has(document, field)) used.add(text);
      const fields = chosen.map(({ field }) => field);
      const kept = choice === null ? document : SHAPES[choice.kind](document, fields);
      notePasswords(kept, "", passwords);
      return kept;
    },
    unused: () => chosen.flatMap(({ text }) => (used.has(text) ? [] : [text])),
    passwords: () => [...passwords],
  };
}

const SHAPES: Readonly<Record<"drop" | "only", (document: Document, fields: readonly Field[]) => Document>> = {
  drop: (document, fields) => fields.reduce(without, document),
  only: picked,
};

function has(value: unknown, [head = "", ...rest]: Field): boolean {
  if (Array.isArray(value)) return value.some((item) => has(item, [head, ...rest]));
  if (!isDocument(value) || !Object.hasOwn(value, head)) return false;
  return rest.length === 0 || has(value[head], rest);
}

function without(document: Document, [head = "", ...rest]: Field): Document {
  const members = Object.entries(document).flatMap(([name, value]): [string, unknown][] => {
    if (name !== head) return [[name, value]];
    return rest.length === 0 ? [] : [[name, inside(value, (inner) => without(inner, rest))]];
  });
  return Object.fromEntries(members);
}

function picked(document: Document, fields: readonly Field[]): Document {
  const members = Object.entries(document).flatMap(([name, value]): [string, unknown][] => {
    const wanted = fields.filter(([head]) => head === name).map(([, ...rest]) => rest);
    if (wanted.length === 0) return [];
    if (wanted.some((rest) => rest.length === 0)) return [[name, value]];
    const inner = inside(value, (document) => picked(document, wanted));
    return typeof value === "object" && value !== null ? [[name, inner]] : [];
  });
  return Object.fromEntries(members);
}

/** Applies a change to an object, or to each object of a list; anything else stays as it is. */
function inside(value: unknown, change: (document: Document) => Document): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => inside(item, change));
  return isDocument(value) ? change(value) : value;
}

/** As Keycloak, Auth0, Firebase, SCIM, LDAP and common tables of accounts name them; letters and digits only. */
const PASSWORD_NAMES: ReadonlySet<string> = new Set([
  "password",
  "passwd",
  "pwd",
  "passwordhash",
  "passwordsalt",
  "passwordhistory",
  "passworddigest",
  "hashedpassword",
  "encryptedpassword",
  "customuserhash",
  "salt",
  "credentials",
  "secretdata",
  "userpassword",
  "unicodepwd",
  "sambantpassword",
  "sambalmpassword",
]);

/** Deeper than people's accounts go; a document that is nested without end is the service's to refuse. */
const DEEPEST = 8;

function notePasswords(value: unknown, prefix: string, found: Set<string>, depth = 0): void {
  if (depth > DEEPEST || typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) notePasswords(item, prefix, found, depth + 1);
    return;
  }
  for (const [name, inner] of Object.entries(value)) {
    const field = prefix + name.replaceAll(".", "\\.");
    if (PASSWORD_NAMES.has(name.toLowerCase().replace(/[^a-z\d]/g, ""))) found.add(field);
    else notePasswords(inner, `${field}.`, found, depth + 1);
  }
}
