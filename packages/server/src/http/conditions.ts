/**
 * Conditional requests (RFC 9110, section 13) over versions: the entity tag of version 3 is `"3"`.
 */
import type { Expectation } from "@strongroom/vault";
import { ServerError } from "../errors.ts";

const ENTITY_TAG = /^"([1-9]\d{0,15})"$/;

export interface ConditionHeaders {
  readonly "if-match"?: string | undefined;
  readonly "if-none-match"?: string | undefined;
}

export function entityTag(version: number): string {
  return `"${version}"`;
}

/**
 * What a write expects to find.
 *
 * @throws ServerError `condition-invalid`: a condition that is not understood must not be taken for none.
 */
export function writeExpectation(headers: ConditionHeaders): Expectation {
  const ifMatch = headers["if-match"]?.trim();
  const ifNoneMatch = headers["if-none-match"]?.trim();
  if (ifMatch !== undefined && ifNoneMatch !== undefined)
    throw new ServerError("condition-invalid", "If-Match and If-None-Match can not be combined");
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch === "*") return { kind: "absent" };
    throw new ServerError("condition-invalid", "If-None-Match of a write must be *");
  }
  if (ifMatch === undefined) return { kind: "any" };
  if (ifMatch === "*") return { kind: "present" };
  const version = ENTITY_TAG.exec(ifMatch)?.[1];
  if (version === undefined)
    throw new ServerError("condition-invalid", 'If-Match must be one version in double quotes, as in "3", or *');
  return { kind: "version", version: Number(version) };
}

/**
 * Whether a reader already has this version. A list of tags and weak ones are allowed here (RFC 9110, section 13.1.2).
 */
export function isNotModified({ "if-none-match": ifNoneMatch }: ConditionHeaders, version: number): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(entityTag(version));
}
