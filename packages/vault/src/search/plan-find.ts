/**
 * By which indexes a query is answered: those of several fields first, since they leave the fewest records to open,
 * then those of single ones. What no index answers is compared after the records are opened, as everything else is too.
 */
import { VaultError } from "../errors.ts";
import type { Tenant } from "../keys/subject-keys.ts";
import type { Tag } from "../stores/indexes.ts";
import { prefixForm } from "./forms.ts";
import type { IndexDefinition } from "./definitions.ts";
import type { Condition } from "./query.ts";
import type { OpenIndex, Tagger } from "./tagger.ts";

/** An index, and the tags that are asked of it: a record has one of them. */
export interface PlannedTerm {
  readonly index: OpenIndex;
  /** For each tag, a form for each field of the index. */
  readonly forms: readonly (readonly string[])[];
}

type Forms = PlannedTerm["forms"];

/** How a query is answered. */
export interface FindPlan {
  readonly terms: readonly PlannedTerm[];
  /** Paths that no index answers. */
  readonly compared: readonly string[];
}

/** Terms of one question to a store, and tags of one term. */
const MAX_TERMS = 8;

/**
 * The plan over the indexes that are ready.
 *
 * @returns null: an index that would answer it is not ready, or not there
 * @throws VaultError `find-invalid`: no index answers any of it
 */
export function planFind(
  conditions: readonly Condition[],
  definitions: readonly IndexDefinition[],
  open: readonly OpenIndex[],
): FindPlan | null {
  const ready = open.filter(({ row }) => row.state === "ready");
  const wanted = definitions
    .flatMap((definition) => {
      const forms = formsFor(definition, conditions);
      return forms === null ? [] : { definition, forms };
    })
    // Those of more fields first.
    .sort((a, b) => b.definition.fields.length - a.definition.fields.length);
  if (wanted.length === 0)
    throw new VaultError("find-invalid", "None of these fields is found by itself, and no index has them together");
  const terms: PlannedTerm[] = [];
  const answered = new Set<string>();
  for (const { definition, forms } of wanted) {
    const paths = definition.fields.map(({ path }) => path);
    if (paths.every((path) => answered.has(path)) || terms.length === MAX_TERMS) continue;
    const index = ready.find((one) => one.definition === definition);
    if (index === undefined) continue;
    terms.push({ index, forms });
    for (const path of paths) answered.add(path);
  }
  if (terms.length === 0) return null;
  return { terms, compared: conditions.map(({ path }) => path).filter((path) => !answered.has(path)) };
}

/** The forms whose tags an index is asked for; null: it does not answer these conditions. */
function formsFor(definition: IndexDefinition, conditions: readonly Condition[]): Forms | null {
  const forms: string[] = [];
  for (const { path } of definition.fields) {
    const condition = conditions.find((one) => one.path === path);
    if (condition === undefined) return null;
    if (condition.kind !== "equals") return cutOf(definition, condition);
    if (definition.cut.kind !== "value") return null;
    forms.push(condition.form);
  }
  return [forms];
}

/** What is asked of an index of beginnings, or of ranges. */
function cutOf({ cut }: IndexDefinition, condition: Exclude<Condition, { readonly kind: "equals" }>): Forms | null {
  if (condition.kind === "range") return cut.kind === "buckets" ? condition.buckets.map((range) => [range]) : null;
  const form = cut.kind === "prefix" ? prefixForm(condition.text, cut.length) : null;
  return form === null ? null : [[form]];
}

/** The tags of a plan, for one tenant. */
export const termsOf = ({ terms }: FindPlan, tagger: Tagger, tenant: Tenant): readonly (readonly Tag[])[] =>
  terms.map(({ index, forms }) => forms.map((own) => ({ index: index.row.id, tag: tagger.tag(index, tenant, own) })));
