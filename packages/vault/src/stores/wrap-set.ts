/**
 * The wraps of one data key, as a value that many versions share: a store keeps each distinct set once and writes its
 * number on every version that has it. What a key set or an outage left behind is then one number, found by an index.
 */
import { createHash } from "node:crypto";

declare const brand: unique symbol;

/** A store's number for a wrap set. Another store has other numbers. */
export type WrapSetId = number & { readonly [brand]: "wrap-set" };

/** One wrap that a data key has. */
export interface Wrap {
  readonly provider: string;
  /** The wrapping key: an ARN, or what its provider calls it. */
  readonly key: string;
  /** Which material of the key; null while it is not known: no `Encrypt` of AWS KMS tells it. */
  readonly material: string | null;
}

/** A wrap that a version should have and has not. */
export interface MissingWrap {
  readonly region: string;
  readonly keyArn: string;
  /** One of a small number of words. */
  readonly reason: string;
}

/** The wraps that a version's data key has, how many it should have, and which it owes. */
export interface WrapSet {
  readonly wraps: readonly Wrap[];
  readonly target: number;
  /** Empty: nothing is owed. */
  readonly missing: readonly MissingWrap[];
}

/**
 * The same text for the same set, in whatever order its members are given. What a store keeps of it.
 *
 * @example
 * ```ts
 * import { wrapSetForm } from "@strongroom/vault";
 *
 * const wraps = [{ provider: "aws-kms", key: "arn:1", material: null }];
 * console.log(wrapSetForm({ wraps, target: 1, missing: [] }));
 * // prints: {"wraps":[["aws-kms","arn:1",null]],"target":1,"missing":[]}
 * ```
 */
export function wrapSetForm({ wraps, target, missing }: WrapSet): string {
  const texts = (rows: readonly (readonly (string | null)[])[]): readonly (readonly (string | null)[])[] =>
    [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return JSON.stringify({
    wraps: texts(wraps.map(({ provider, key, material }) => [provider, key, material])),
    target,
    missing: texts(missing.map(({ keyArn, region, reason }) => [keyArn, region, reason])),
  });
}

/**
 * By which a store finds a set that it has: SHA-256 of its form, in hexadecimal.
 *
 * @example
 * ```ts
 * import { wrapSetDigest, wrapSetForm } from "@strongroom/vault";
 *
 * console.log(wrapSetDigest(wrapSetForm({ wraps: [], target: 1, missing: [] })).length); // prints: 64
 * ```
 */
export function wrapSetDigest(form: string): string {
  return createHash("sha256").update(form, "utf8").digest("hex");
}

/**
 * The set that a form tells; null when it is none.
 *
 * @example
 * ```ts
 * import { parseWrapSet } from "@strongroom/vault";
 *
 * console.log(parseWrapSet('{"wraps":[],"target":2,"missing":[]}')?.target); // prints: 2
 * console.log(parseWrapSet("{}")); // prints: null
 * ```
 */
export function parseWrapSet(form: string): WrapSet | null {
  let found: unknown;
  try {
    found = JSON.parse(form);
  } catch {
    return null;
  }
  if (typeof found !== "object" || found === null) return null;
  const { wraps, target, missing } = found as Readonly<Record<string, unknown>>;
  if (!Number.isSafeInteger(target) || (target as number) < 0) return null;
  const wrapRows = rowsOf(wraps, isWrapRow);
  const missingRows = rowsOf(missing, isMissingRow);
  if (wrapRows === null || missingRows === null) return null;
  return {
    wraps: wrapRows.map(([provider, key, material]) => ({ provider, key, material })),
    target: target as number,
    missing: missingRows.map(([keyArn, region, reason]) => ({ region, keyArn, reason })),
  };
}

type WrapRow = readonly [provider: string, key: string, material: string | null];
type MissingRow = readonly [keyArn: string, region: string, reason: string];

const isText = (value: unknown): value is string => typeof value === "string";

function isWrapRow(row: readonly unknown[]): row is WrapRow {
  const [provider, key, material] = row;
  return row.length === 3 && isText(provider) && isText(key) && (material === null || isText(material));
}

function isMissingRow(row: readonly unknown[]): row is MissingRow {
  return row.length === 3 && row.every(isText);
}

function rowsOf<Row extends readonly unknown[]>(
  value: unknown,
  isRow: (row: readonly unknown[]) => row is Row,
): readonly Row[] | null {
  if (!Array.isArray(value)) return null;
  const rows = value as readonly unknown[];
  return rows.every((row): row is Row => Array.isArray(row) && isRow(row as unknown[])) ? rows : null;
}
