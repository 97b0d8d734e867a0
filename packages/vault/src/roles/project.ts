/**
 * A document as somebody sees it. What is masked has its place whether the document has it or not, always a text or
 * null, in the order of the view: it tells nothing by its presence, its type, its length or its place. Only of what has
 * a mask with a form (an e-mail's, a card's) it can be told that there is none: null.
 */
import { HIDDEN, masked } from "../masks/masks.ts";
import { isObject } from "../records/document.ts";
import type { JsonObject, JsonValue } from "../records/document.ts";
import type { MaskedField, Part, View, ViewNode } from "./view.ts";

/** A keyed hash of a value of a field, as a text. Null: there is no key, and nothing is shown. */
export type HashMask = ((path: string, value: JsonValue) => string) | null;

/**
 * What of a document is shown. A document that is shown whole is given back as it is.
 *
 * @param hash for the fields that are masked by a keyed hash
 */
export function project(document: JsonObject, view: View, hash: HashMask = null): JsonObject {
  if (view.kind === "whole") return document;
  return view.kind === "none" ? {} : projectPart(document, view, hash);
}

/** A field's value as somebody sees it who sees it masked. */
export function maskedValue({ path, mask }: MaskedField, value: JsonValue | undefined, hash: HashMask): JsonValue {
  // Nothing is told by it, so not either whether there is anything.
  if (mask === "redact") return HIDDEN;
  if (mask === "hash")
    return hash === null || isMany(value) ? HIDDEN : value === null || value === undefined ? null : hash(path, value);
  return masked(mask, value) ?? null;
}

function projectPart(value: JsonValue | undefined, view: Part, hash: HashMask): JsonObject {
  const from = isObject(value) ? value : {};
  const shown: (readonly [string, JsonValue])[] = [];
  for (const [name, node] of view.members) {
    const member = Object.hasOwn(from, name) ? from[name] : undefined;
    const seen = projectMember(member, node, hash);
    if (seen !== undefined) shown.push([name, seen]);
  }
  // Defines members, and sets none: `__proto__` is a name like any other.
  return Object.fromEntries(shown);
}

function projectMember(value: JsonValue | undefined, node: ViewNode, hash: HashMask): JsonValue | undefined {
  if (node.kind === "clear") return value;
  if (node.kind === "masked") return maskedValue(node, value, hash);
  // How many a list has is told only beside what is shown of each.
  if (isList(value)) return node.hasClear ? membersOf(value, node, hash) : allHidden(node);
  const shown = projectPart(value, node, hash);
  return Object.keys(shown).length === 0 ? undefined : shown;
}

/** Members that are no object have nothing that a path could name. */
function membersOf(list: readonly JsonValue[], node: Part, hash: HashMask): readonly JsonValue[] {
  return list.flatMap((member): readonly JsonValue[] => {
    if (isList(member)) return [membersOf(member, node, hash)];
    return isObject(member) ? [projectPart(member, node, hash)] : [];
  });
}

function allHidden({ members }: Part): JsonObject {
  return Object.fromEntries(
    [...members].map(([name, node]) => [name, node.kind === "part" ? allHidden(node) : HIDDEN]),
  );
}

export const isList = (value: JsonValue | undefined): value is readonly JsonValue[] => Array.isArray(value);
const isMany = (value: JsonValue | undefined): boolean => typeof value === "object" && value !== null;
