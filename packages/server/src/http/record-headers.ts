/**
 * What the headers of a record's requests and answers say: conditions over versions (RFC 9110, section 13: the entity
 * tag of version 3 is `"3"`), whom it is about, and on an answer all that is known of the document in its body.
 */
import { parseSubject, VaultError } from "@strongroom/vault";
import type { Expectation, PutOptions, ShownRecord, VaultRecord } from "@strongroom/vault";
import type { FastifyReply } from "fastify";
import { ServerError } from "../errors.ts";

const ENTITY_TAG = /^"([1-9]\d{0,15})"$/;

/** The headers that make a request conditional. */
export interface ConditionHeaders {
  readonly "if-match"?: string | undefined;
  readonly "if-none-match"?: string | undefined;
  readonly "if-modified-since"?: string | undefined;
  readonly "if-unmodified-since"?: string | undefined;
  readonly "if-range"?: unknown;
}

/** Those that a write does not evaluate. A time would lose updates: two versions may be of one second. */
const NOT_OF_WRITES = ["if-modified-since", "if-unmodified-since", "if-range"] as const;
const CONDITIONS = ["if-match", "if-none-match", ...NOT_OF_WRITES] as const;

/** The entity tag of a version. */
export function entityTag(version: number): string {
  return `"${version}"`;
}

/**
 * What a write expects to find.
 *
 * @throws ServerError `condition-invalid`: a condition that is not understood must not be taken for none.
 */
export function writeExpectation(headers: ConditionHeaders): Expectation {
  requireWithout(headers, NOT_OF_WRITES, "a write");
  const ifMatch = headers["if-match"]?.trim();
  const ifNoneMatch = headers["if-none-match"]?.trim();
  if (ifMatch !== undefined && ifNoneMatch !== undefined)
    throw new ServerError("condition-invalid", "If-Match and If-None-Match cannot be combined");
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

/** @throws ServerError `condition-invalid`: a batch has no version that a condition could be about */
export function requireUnconditional(headers: ConditionHeaders): void {
  requireWithout(headers, CONDITIONS, "a batch");
}

function requireWithout(headers: ConditionHeaders, names: readonly (keyof ConditionHeaders)[], what: string): void {
  for (const name of names)
    if (headers[name] !== undefined) throw new ServerError("condition-invalid", `${name} is no condition of ${what}`);
}

/** What a reader's conditions are held against. */
type ReadVersion = Pick<VaultRecord, "version" | "createdAt">;

/**
 * Whether a reader already has this version (RFC 9110, section 13.2.2). A date that is none is no condition (sections
 * 13.1.3 and 13.1.4), and dates count where there is no entity tag.
 *
 * @throws VaultError `version-conflict`; ServerError `condition-invalid`
 */
function isNotModified(headers: ConditionHeaders, { version, createdAt }: ReadVersion): boolean {
  const { "if-match": ifMatch, "if-none-match": ifNoneMatch } = headers;
  // A Last-Modified has no milliseconds.
  const modified = Math.floor(Date.parse(createdAt) / 1000) * 1000;
  const fits =
    ifMatch === undefined
      ? !(modified > httpDate(headers["if-unmodified-since"]))
      : entityTags(ifMatch, "If-Match").some((tag) => tag === "*" || tag === entityTag(version));
  if (!fits)
    throw new VaultError("version-conflict", `The record is at version ${version}`, { currentVersion: version });
  if (ifNoneMatch === undefined) return modified <= httpDate(headers["if-modified-since"]);
  // Weak tags compare as well here (section 13.1.2).
  const tags = entityTags(ifNoneMatch, "If-None-Match").map((tag) => tag.replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(entityTag(version));
}

const TAG_LIST = /^(?:\*|(?:W\/)?"[\x21\x23-\x7e]*"(?:[ \t]*,[ \t]*(?:W\/)?"[\x21\x23-\x7e]*")*)$/;

/** @throws ServerError `condition-invalid` */
function entityTags(header: string, name: string): readonly string[] {
  const list = header.trim();
  if (TAG_LIST.test(list)) return list.match(/\*|(?:W\/)?"[^"]*"/g) ?? [];
  throw new ServerError("condition-invalid", `${name} must be versions in double quotes, as in "3", "4", or *`);
}

/** The time of an HTTP-date (section 5.6.7), NaN of anything else: nothing is sooner or later than that. */
function httpDate(header: string | undefined): number {
  return header !== undefined && /^[A-Z][a-z]{2,8},? .*(?:GMT|\d{4})$/.test(header) ? Date.parse(header) : Number.NaN;
}

/** The headers that say whom a record is about: names as percent-encoded UTF-8, because a field holds ASCII (5.5). */
export interface WhomHeaders {
  readonly "strongroom-subject"?: string | undefined;
  /** A list, its items separated by commas. */
  readonly "strongroom-about"?: string | undefined;
  readonly "strongroom-repoint"?: "true" | "false" | undefined;
  readonly "strongroom-tenant"?: string | undefined;
}

/** Whom a write is about, as the vault takes it. What was not said is left out. */
export type Whom = Pick<PutOptions, "subject" | "about" | "repoint" | "tenant">;

/** @throws VaultError `subject-invalid` */
export function whomOf(headers: WhomHeaders): Whom {
  const {
    "strongroom-subject": subject,
    "strongroom-about": about,
    "strongroom-repoint": repoint,
    "strongroom-tenant": tenant,
  } = headers;
  return {
    ...(subject === undefined ? {} : { subject: decodeName(subject, "Strongroom-Subject") }),
    ...(about === undefined ? {} : { about: decodeNames(about) }),
    ...(repoint === undefined ? {} : { repoint: repoint === "true" }),
    ...(tenant === undefined ? {} : { tenant }),
  };
}

/** An empty field is a list of nobody: who was named before is not any more. */
function decodeNames(header: string): readonly string[] {
  const list = header.trim();
  return list === "" ? [] : list.split(",").map((name) => decodeName(name.trim(), "Strongroom-About"));
}

/** As it is written here: visible ASCII. */
const ENCODED = /^[\x20-\x7e]*$/;

function decodeName(text: string, header: string): string {
  return parseSubject(decodeText(text, header));
}

/**
 * A name as it was said, which need not be one that a writer may give: `COLLECTION/ID` is one too.
 *
 * @throws VaultError `subject-invalid`
 */
export function decodeText(text: string, header: string): string {
  try {
    // Node reads the bytes of a field as Latin-1: a name that came as plain UTF-8 would be somebody else's.
    if (!ENCODED.test(text)) throw new URIError("not encoded");
    return decodeURIComponent(text);
  } catch {
    throw new VaultError("subject-invalid", `The header ${header} is not valid percent-encoded UTF-8`);
  }
}

/** A record as an answer: its document is the body, what is known of it is in the headers. */
export function sendRecord(
  { headers }: { readonly headers: ConditionHeaders },
  reply: FastifyReply,
  record: ShownRecord,
): FastifyReply {
  const { document, version, subject, about, createdAt } = record;
  reply.header("etag", entityTag(version));
  if (isNotModified(headers, record)) return reply.code(304).send(null);
  return reply
    .header("strongroom-version", String(version))
    .headers(subject === null ? {} : { "strongroom-subject": encodeURIComponent(subject) })
    .headers(about === undefined ? {} : { "strongroom-about": about.map(encodeURIComponent).join(", ") })
    .header("strongroom-created-at", createdAt)
    .header("last-modified", new Date(createdAt).toUTCString())
    .type("application/json; charset=utf-8")
    .send(document);
}
