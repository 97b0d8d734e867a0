/**
 * What of one field somebody sees, for whoever asks about a policy and not about a record.
 */
import type { FieldOptions } from "../collections/fields.ts";
import type { MaskKind } from "../masks/masks.ts";
import { EVERYTHING } from "./paths.ts";
import type { Policy, PolicyRequest } from "./policy.ts";
import { leavesOf, restricted, viewOf } from "./view.ts";

/**
 * `clear`, `nothing`, `part` (some of what lies in it), or the kind of its mask.
 *
 * @param fields what the collection declares
 * @example
 * ```ts
 * import { parseRoles, seen } from "@strongroom/vault";
 *
 * const policy = parseRoles({
 *   support: { grants: [{ collection: "people", fields: ["email"], actions: ["read:masked"] }] },
 * });
 * const asked = { roles: ["support"], collection: "people", field: "email" };
 * console.log(seen(policy, asked, { email: { mask: "email" } })); // prints: email
 * ```
 */
export function seen(
  policy: Policy,
  asked: Omit<PolicyRequest, "action">,
  fields: Readonly<Record<string, Pick<FieldOptions, "mask">>>,
): MaskKind | "clear" | "nothing" | "part" {
  const { field = EVERYTHING } = asked;
  const view = viewOf(policy.rulesFor(asked), policy.rulesForAny(asked), new Map(Object.entries(fields)));
  if (view.kind !== "part") return view.kind === "whole" ? "clear" : "nothing";
  if (field === EVERYTHING) return "part";
  const found = restricted(view, [field]);
  if ("forbidden" in found || found.kind !== "part") return "nothing";
  const leaf = leavesOf(found).get(field);
  if (leaf === undefined) return "part";
  return leaf.kind === "clear" ? "clear" : leaf.mask;
}
