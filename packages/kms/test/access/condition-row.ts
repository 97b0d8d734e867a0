// One line of the table of condition keys, and how its lines are written down.

import type { Members } from "../behaviours/behaviour.ts";

/** The type in AWS's tables, and so the operator that goes with it. */
export type ConditionType = "String" | "Bool" | "Numeric" | "Date" | "ARN" | "ArrayOfString";

/** What the key says of one request. */
export interface Sight {
  /** The request, by its name in requests.ts. */
  readonly request: string;
  /** Members over those of the request; undefined takes one away. */
  readonly members?: Members;
  /** A member that names the key by its alias. */
  readonly byAlias?: string;
  /** How the page shows what is in the request. */
  readonly shown: string;
  /** What the condition key says; null: it is absent. */
  readonly value: string | null;
  /** A value that it does not say. */
  readonly other: string;
}

/** A condition key on the requests of one permission. */
export interface ConditionRow {
  readonly key: string;
  readonly type: ConditionType;
  readonly permission: string;
  /** The parameter is in the request. Null: nothing in a request can set it. */
  readonly given: Sight | null;
  /** The request leaves the parameter out. Null: it cannot. */
  readonly leftOut: Sight | null;
}

type Given = readonly [members: Members, value: string, other: string, request?: string];
type LeftOut = readonly [value: string | null, other: string, request?: string];

/** A row for each of `permissions`; an operation is the request of its permission, unless one is named. */
export function rows(
  key: string,
  permissions: string | readonly string[],
  { given, leftOut, type = "String" }: { given?: Given; leftOut?: LeftOut; type?: ConditionType },
): ConditionRow[] {
  return [permissions].flat().map((permission) => ({
    key,
    type,
    permission: `kms:${permission}`,
    given: given === undefined ? null : sightOf(permission, given),
    leftOut: leftOut === undefined ? null : leftOutOf(permission, leftOut),
  }));
}

const sightOf = (permission: string, [members, value, other, request = permission]: Given): Sight => ({
  request,
  members,
  shown: Object.keys(members).length > 0 ? JSON.stringify(members) : request,
  value,
  other,
});
const leftOutOf = (permission: string, [value, other, request = permission]: LeftOut): Sight => ({
  request,
  shown: "",
  value,
  other,
});
