/**
 * What of a document somebody sees: a tree that follows from rules and declaration alone. Whatever documents hold, the
 * same is shown and hidden of each.
 */
import type { FieldOptions } from "../collections/fields.ts";
import type { MaskKind } from "../masks/masks.ts";
import { covers, EVERYTHING } from "./paths.ts";
import type { Rule } from "./policy.ts";

/** A place in what is shown. */
export type ViewNode =
  | { readonly kind: "clear" }
  | MaskedField
  | {
      readonly kind: "part";
      /** In the order of their names. */
      readonly members: ReadonlyMap<string, ViewNode>;
      /** Whether anything in it is shown in clear. */
      readonly hasClear: boolean;
    };

/** A field that is masked. */
export interface MaskedField {
  readonly kind: "masked";
  readonly path: string;
  readonly mask: MaskKind;
}

/** What somebody sees of documents of one collection: all, nothing, or what the tree says. */
export type View = { readonly kind: "whole" } | { readonly kind: "none" } | Part;
/** Some of it. */
export type Part = Extract<ViewNode, { readonly kind: "part" }>;

/** What is declared of a collection's fields. */
type Fields = ReadonlyMap<string, FieldOptions>;

/** Leaves of a view by their paths. */
type Leaves = ReadonlyMap<string, MaskedField | { readonly kind: "clear" }>;

/** Fields that rules of one action name. */
export const fieldsOf = (rules: readonly Rule[], action: Rule["action"]): readonly string[] =>
  rules.filter((rule) => rule.action === action).flatMap(({ fields }) => fields);

/**
 * The view of whoever these rules are for.
 *
 * @param rules those of one collection and one purpose, as `Policy.rulesFor` gives them
 * @param everyPurpose those of the same roles and any purpose
 */
export function viewOf(rules: readonly Rule[], everyPurpose: readonly Rule[], declared: Fields): View {
  const clear = fieldsOf(rules, "read");
  if (clear.includes(EVERYTHING)) return { kind: "whole" };
  // Threat: who sees a keyed hash and writes or finds tries values until the hashes are equal.
  const tried = [...fieldsOf(everyPurpose, "write"), ...fieldsOf(everyPurpose, "find")];
  const leaves = new Map<string, MaskedField | { readonly kind: "clear" }>();
  for (const path of fieldsOf(rules, "read:masked").flatMap((one) => maskedPaths(one, declared))) {
    const mask = declared.get(path)?.mask ?? "redact";
    const isTried = tried.some((one) => covers(one, path) || covers(path, one));
    leaves.set(path, { kind: "masked", path, mask: mask === "hash" && isTried ? "redact" : mask });
  }
  for (const path of clear) {
    for (const inner of [...leaves.keys()]) if (covers(path, inner)) leaves.delete(inner);
    if (![...leaves].some(([outer, { kind }]) => kind === "clear" && covers(outer, path)))
      leaves.set(path, { kind: "clear" });
  }
  // Of what has members that are shown for themselves, the others are not shown.
  for (const [path, { kind }] of [...leaves])
    if (kind === "masked" && [...leaves.keys()].some((inner) => inner !== path && covers(path, inner)))
      leaves.delete(path);
  return leaves.size === 0 ? { kind: "none" } : treeOf(leaves);
}

/** What masking a field comes to: the fields that are declared in it, or itself. */
function maskedPaths(path: string, declared: Fields): readonly string[] {
  const inner = [...declared.keys()].filter((one) => one !== path && covers(path, one));
  return inner.length === 0 && path !== EVERYTHING ? [path] : inner;
}

/**
 * The same view of some fields alone.
 *
 * @returns the first field that is not to be seen, when there is one
 */
export function restricted(view: View, fields: readonly string[]): View | { readonly forbidden: string } {
  if (view.kind === "none") return { forbidden: fields[0] ?? EVERYTHING };
  const wanted = new Map<string, MaskedField | { readonly kind: "clear" }>();
  const seen = view.kind === "whole" ? null : leavesOf(view);
  for (const field of fields) {
    const found = seen === null ? [[field, { kind: "clear" }] as const] : seenOf(field, seen);
    if (found.length === 0) return { forbidden: field };
    for (const [path, leaf] of found) wanted.set(path, leaf);
  }
  for (const path of [...wanted.keys()])
    if ([...wanted.keys()].some((outer) => outer !== path && covers(outer, path))) wanted.delete(path);
  return treeOf(wanted);
}

function seenOf(field: string, seen: Leaves): readonly (readonly [string, MaskedField | { readonly kind: "clear" }])[] {
  const inner = [...seen].filter(([path]) => covers(field, path));
  if (inner.length > 0) return inner;
  // Of what is masked as one, no part is told from the others.
  const isInClear = [...seen].some(([path, { kind }]) => kind === "clear" && covers(path, field));
  return isInClear ? [[field, { kind: "clear" }]] : [];
}

/** What is shown of which field. */
export function leavesOf(view: Part): Leaves {
  const leaves = new Map<string, MaskedField | { readonly kind: "clear" }>();
  const walk = (node: ViewNode, path: string): void => {
    if (node.kind !== "part") leaves.set(path, node);
    else for (const [name, member] of node.members) walk(member, path === "" ? name : `${path}.${name}`);
  };
  walk(view, "");
  return leaves;
}

/** Whether something in a view is shown by a keyed hash. */
export function needsHashKey(view: View): boolean {
  return view.kind === "part" && [...leavesOf(view).values()].some((leaf) => "mask" in leaf && leaf.mask === "hash");
}

interface Branch {
  readonly members: Map<string, Branch | MaskedField | { readonly kind: "clear" }>;
}

function treeOf(leaves: Leaves): Part {
  const root: Branch = { members: new Map() };
  for (const [path, leaf] of leaves) {
    const names = path.split(".");
    const last = names.pop() ?? "";
    let at = root;
    for (const name of names) {
      const next = at.members.get(name);
      const branch = next !== undefined && "members" in next ? next : { members: new Map() };
      at.members.set(name, branch);
      at = branch;
    }
    at.members.set(last, leaf);
  }
  return partOf(root);
}

function partOf({ members }: Branch): Part {
  const sorted = [...members].sort(([one], [other]) => (one < other ? -1 : 1));
  const nodes = sorted.map(([name, node]) => [name, "members" in node ? partOf(node) : node] as const);
  const hasClear = nodes.some(([, node]) => node.kind === "clear" || (node.kind === "part" && node.hasClear));
  return { kind: "part", members: new Map(nodes), hasClear };
}
