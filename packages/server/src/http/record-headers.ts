/**
 * What the headers of a record's requests and answers say: conditions over versions (RFC 9110, section 13: the entity
 * tag of version 3 is `"3"`), whom it is about, and on an answer all that is known of the document in its body.
 */
import { parseSubject, VaultError } from "@strongroom/vault";
import type { Expectation, VaultRecord } from "@strongroom/vault";
import type { FastifyReply } from "fastify";
import { ServerError } from "../errors.ts";

const ENTITY_TAG = /^"([1-9]\d{0,15})"$/;

/** The headers that make a request conditional. */
export interface ConditionHeaders {
  readonly "if-match"?: string | undefined;
  readonly "if-none-match"?: string | undefined;
}

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

/**
 * Whether a reader already has this version. A list of tags and weak ones are allowed here (RFC 9110, section 13.1.2).
 */
export function isNotModified({ "if-none-match": ifNoneMatch }: ConditionHeaders, version: number): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(entityTag(version));
}

/**
 * The subject in the header `Strongroom-Subject`: percent-encoded UTF-8, because a header field holds ASCII (RFC 9110,
 * section 5.5).
 *
 * @throws VaultError `subject-invalid`
 */
export function decodeSubject(header: string): string {
  let subject: string;
  try {
    subject = decodeURIComponent(header);
  } catch {
    throw new VaultError("subject-invalid", "The header Strongroom-Subject is not valid percent-encoded UTF-8");
  }
  return parseSubject(subject);
}

function encodeSubject(subject: string): string {
  return encodeURIComponent(subject);
}

/** A record as an answer: its document is the body, what is known of it is in the headers. */
export function sendRecord(reply: FastifyReply, { document, version, subject, createdAt }: VaultRecord): FastifyReply {
  return reply
    .header("etag", entityTag(version))
    .header("strongroom-version", String(version))
    .header("strongroom-subject", encodeSubject(subject))
    .header("strongroom-created-at", createdAt)
    .header("last-modified", new Date(createdAt).toUTCString())
    .type("application/json; charset=utf-8")
    .send(document);
}
