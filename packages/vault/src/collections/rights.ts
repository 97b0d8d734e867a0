/**
 * What a collection declares for the people whom its records are about: how long a record may stay, what a person is
 * given of records that are about others too, to whom records are given.
 */
import { ownOptions } from "@strongroom/base/options";
import { isWords } from "./purposes.ts";
import type { PurposeOptions } from "./purposes.ts";
import { parsePeriod } from "./period.ts";
import type { Period } from "./period.ts";

/** How long a record may stay. */
export interface RetentionOptions {
  /** Days, or a period of ISO 8601 in years, months, weeks and days: `P2Y`, `P6M`, `P30D`. */
  readonly after: string | number;
  /**
   * Path of a field with a date or a moment (`2026-03-04`, `2026-03-04T05:06:07Z`), from which it is counted. Left out:
   * from when the newest version was written.
   */
  readonly from?: string;
}

/** These members of a declaration. */
export interface RightsOptions {
  /** Left out: records stay. */
  readonly retention?: RetentionOptions;
  /**
   * What a person's export has of records that are about others too: all of it (`include`), or, when left out, that
   * there is one (`omit`).
   */
  readonly thirdParties?: "omit" | "include";
  /** For the report of processing: to whom records are given. Up to 64 texts of up to 300 characters. */
  readonly recipients?: readonly string[];
}

/** The same with everything in it. */
export interface DeclaredRights {
  /** Everything that is declared of the purposes; empty: none is. */
  readonly purposes: readonly PurposeOptions[];
  /** Codes of purposes that need a consent. */
  readonly consents: ReadonlySet<string>;
  readonly retention: DeclaredRetention | null;
  readonly thirdParties: "omit" | "include";
  readonly recipients: readonly string[];
}

/** How long a record may stay. */
export interface DeclaredRetention {
  readonly after: Period;
  /** Names of members, from the outside in; null: from when the newest version was written. */
  readonly from: readonly string[] | null;
}

const MAX_RECIPIENTS = 64;
const MAX_PATH = 256;

/** Member of a declaration -> whether a value will do, and what it must be. */
export const RIGHTS_MEMBERS: Readonly<
  Record<keyof RightsOptions, readonly [is: (value: unknown) => boolean, mustBe: string]>
> = {
  retention: [
    (value) => retentionOf(value) !== null,
    'of the form { after: DAYS or "P2Y", from: PATH }, from 1 day to 1,000 years',
  ],
  thirdParties: [(value) => value === "omit" || value === "include", 'one of "omit", "include"'],
  recipients: [
    (value) => Array.isArray(value) && value.length <= MAX_RECIPIENTS && value.every(isWords),
    `a list of at most ${MAX_RECIPIENTS} texts of one line`,
  ],
};

/** A copy that nobody changes; of what is not as it must be, what holds back most. */
export function declaredRights(
  { retention, thirdParties, recipients }: RightsOptions,
  purposes: readonly PurposeOptions[],
): DeclaredRights {
  return {
    purposes,
    consents: new Set(purposes.flatMap(({ code, consent }) => (consent === true ? [code] : []))),
    retention: retentionOf(retention),
    thirdParties: thirdParties === "include" ? "include" : "omit",
    recipients: Array.isArray(recipients) ? [...(recipients as readonly string[])] : [],
  };
}

function retentionOf(value: unknown): DeclaredRetention | null {
  if (typeof value !== "object" || value === null) return null;
  const { values, problems } = ownOptions(value, ["after", "from"]);
  const after = parsePeriod(values["after"]);
  const path = values["from"];
  if (problems.length > 0 || after === null) return null;
  if (path === undefined) return { after, from: null };
  if (typeof path !== "string" || path.length > MAX_PATH) return null;
  const from = path.split(".");
  return from.includes("") ? null : { after, from };
}
