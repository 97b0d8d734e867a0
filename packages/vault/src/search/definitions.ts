/**
 * The indexes that a collection declares, each as its tags are made. Whatever changes a tag is part of an index's id:
 * another key, another normaliser or version of one, other fields make another index.
 */
import { createHash } from "node:crypto";
import type { Declaration } from "../collections/declaration.ts";
import type { FieldOptions } from "../collections/fields.ts";
import { lp } from "../keys/length-prefixed.ts";
import type { Part } from "../keys/length-prefixed.ts";
import type { Tenant } from "../keys/subject-keys.ts";
import type { Normaliser } from "../normalisers/normaliser.ts";
import type { Collection } from "../records/address.ts";
import type { IndexId } from "../stores/indexes.ts";
import type { KeyVersion } from "../stores/key-store.ts";

/** One field of an index. */
export interface IndexedField {
  readonly path: string;
  readonly normaliser: Normaliser;
}

/** What of a form a tag is made of: all of it, its first characters, or the range that it is in. */
export type Cut =
  | { readonly kind: "value" }
  | { readonly kind: "prefix"; readonly length: number }
  | { readonly kind: "buckets"; readonly width: NonNullable<FieldOptions["buckets"]> };

/** An index as a collection declares it. */
export interface IndexDefinition {
  readonly collection: Collection;
  /** The field's path, with what is cut behind it; of several fields, the name that is declared. */
  readonly name: string;
  readonly fields: readonly IndexedField[];
  readonly cut: Cut;
  readonly isUnique: boolean;
}

const NONE: readonly IndexDefinition[] = [];
const known = new WeakMap<Declaration, readonly IndexDefinition[]>();

/** The indexes of a declaration, in one order. */
export function definitionsOf(declaration: Declaration): readonly IndexDefinition[] {
  const { fields, indexes } = declaration;
  if (fields.size === 0 && indexes.size === 0) return NONE;
  const found = known.get(declaration);
  if (found !== undefined) return found;
  const made = [...ofFields(declaration), ...ofSeveral(declaration)];
  known.set(declaration, made);
  return made;
}

const VALUE: Cut = { kind: "value" };

function ofFields({ collection, fields }: Declaration): readonly IndexDefinition[] {
  const found: IndexDefinition[] = [];
  for (const [path, { find, alone, unique = false, prefix, buckets }] of fields) {
    if (find === undefined || alone === false) continue;
    const own = { collection, fields: [{ path, normaliser: find }], isUnique: false };
    found.push({ ...own, name: path, cut: VALUE, isUnique: unique });
    if (prefix !== undefined) found.push({ ...own, name: `${path}:prefix`, cut: { kind: "prefix", length: prefix } });
    if (buckets !== undefined) found.push({ ...own, name: `${path}:range`, cut: { kind: "buckets", width: buckets } });
  }
  return found;
}

function ofSeveral({ collection, fields, indexes }: Declaration): readonly IndexDefinition[] {
  return [...indexes].map(([name, { fields: paths, unique = false }]) => ({
    collection,
    name,
    fields: paths.flatMap((path) => {
      const normaliser = fields.get(path)?.find;
      return normaliser === undefined ? [] : [{ path, normaliser }];
    }),
    cut: VALUE,
    isUnique: unique,
  }));
}

/** 32 hexadecimal digits; of another key, definition or uniqueness another one. */
export function indexIdOf(vault: string, definition: IndexDefinition, version: KeyVersion): IndexId {
  const parts = lp(["strongroom/index/1", vault, ...partsOf(definition), definition.isUnique ? 1 : 0, version]);
  return createHash("sha256").update(parts).digest("hex").slice(0, 32) as IndexId;
}

/** What the key of an index's tags is derived with, for one tenant. */
export const tagInfo = (vault: string, tenant: Tenant, definition: IndexDefinition, version: KeyVersion): Buffer =>
  lp(["strongroom/tag/1", vault, tenant, ...partsOf(definition), version]);

function partsOf({ collection, name, fields, cut }: IndexDefinition): readonly Part[] {
  const ofEach = fields.flatMap(({ path, normaliser: { kind, version, options } }) => [path, kind, version, options]);
  return [collection, name, textOf(cut), fields.length, ...ofEach];
}

function textOf(cut: Cut): string {
  if (cut.kind === "prefix") return `prefix:${cut.length}`;
  return cut.kind === "buckets" ? `buckets:${cut.width}` : "value";
}
