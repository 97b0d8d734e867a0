/**
 * A record as an answer: its document is the body, what is known of it is in the headers.
 */
import type { FastifyReply } from "fastify";
import type { VaultRecord } from "@strongroom/vault";
import { entityTag } from "./conditions.ts";
import { encodeSubject } from "./subject-header.ts";

export function sendRecord(reply: FastifyReply, { document, version, subject, createdAt }: VaultRecord): FastifyReply {
  return reply
    .header("etag", entityTag(version))
    .header("strongroom-version", String(version))
    .header("strongroom-subject", encodeSubject(subject))
    .header("last-modified", new Date(createdAt).toUTCString())
    .type("application/json; charset=utf-8")
    .send(document);
}
