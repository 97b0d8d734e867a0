/**
 * Consents: each a record about the person who gave it, with a version for each time that it was given or withdrawn.
 * records/consent.ts holds reads and writes to them.
 */
import { isPurpose } from "../collections/purposes.ts";
import { VaultError } from "../errors.ts";
import type { Asked } from "../records/asked.ts";
import { consentAddress, openConsent } from "../records/consent.ts";
import type { JsonObject } from "../records/document.ts";
import { requireOpenPeople } from "../records/people.ts";
import { recordState } from "../records/read.ts";
import { concerned, OVERTAKEN, untilNewest } from "../records/asked.ts";
import { put } from "../records/write.ts";
import { requireKeyStore } from "../records/version.ts";
import { CONSENTS } from "../records/address.ts";
import type { Version } from "../records/address.ts";
import { known, madeKnown } from "../subjects/subjects.ts";
import type { Named } from "../subjects/subjects.ts";
import { heldPerson } from "./parts.ts";
import type { RightsParts } from "./parts.ts";
import { recordsOf } from "./records-of.ts";
import type { RecordOf } from "./records-of.ts";

/** What a consent was given by. */
export interface ConsentOptions {
  readonly tenant?: string;
  /** Which wording was agreed to, or where that it was is kept: up to 300 characters of one line. */
  readonly evidence?: string;
}

/** A consent as it is now. */
export interface Consent {
  readonly purpose: string;
  readonly state: "given" | "withdrawn";
  /** When it was given or withdrawn: ISO 8601, UTC. */
  readonly at: string;
  readonly evidence: string | null;
  /** How often it was given or withdrawn. */
  readonly version: number;
}

/** @throws VaultError `vault-option-invalid` */
export function parseConsent(purpose: unknown, evidence: unknown): { purpose: string; evidence: string | null } {
  if (!isPurpose(purpose))
    throw new VaultError("vault-option-invalid", "A purpose is 1 to 64 characters of a-z, 0-9, '.' and '-'");
  if (evidence === undefined) return { purpose, evidence: null };
  if (typeof evidence === "string" && evidence !== "" && evidence.length <= 300 && !/\p{Cc}/u.test(evidence))
    return { purpose, evidence };
  throw new VaultError("vault-option-invalid", "evidence is a text of up to 300 characters of one line");
}

/** Gives or withdraws one. It holds for reads in all processes from when this resolves. */
export async function setConsent(
  parts: RightsParts,
  who: Named,
  to: { readonly purpose: string; readonly state: Consent["state"]; readonly evidence: string | null },
  asked: Asked,
): Promise<Consent> {
  const { store, clock } = parts;
  await parts.keys.requireWriter();
  await store.requireRoom();
  const { found, keysOfPeople } = await known(parts, who, asked);
  const id = found?.id ?? (await madeKnown(keysOfPeople, who));
  await asked.tellKeysMade();
  const { purpose, state, evidence } = to;
  const at = clock().toISOString();
  const document: JsonObject = { purpose, state, at, ...(evidence === null ? {} : { evidence }) };
  return asked.act("consent", { people: [id], details: { purpose, state } }, async () => {
    const whom = { subject: who.name, tenant: who.tenant };
    const { version } = await put(parts, consentAddress(id, purpose), document, whom, asked);
    return { purpose, state, at, evidence, version };
  });
}

/** All that somebody has given or withdrawn. */
export async function consentsOf(parts: RightsParts, who: Named, asked: Asked): Promise<readonly Consent[]> {
  const { row, keysOfPeople } = await heldPerson(parts, who, asked);
  const consents: Consent[] = [];
  for await (const record of recordsOf(parts, keysOfPeople, row.id, null)) {
    if (record.row.collection !== CONSENTS) continue;
    const consent = await untilNewest(() => consentOnce(parts, record, asked));
    if (consent !== null) consents.push(consent);
  }
  return consents.sort((a, b) => (a.purpose < b.purpose ? -1 : 1));
}

async function consentOnce(
  parts: RightsParts,
  { row }: RecordOf,
  asked: Asked,
): Promise<Consent | null | typeof OVERTAKEN> {
  const read = await parts.store.records.read(row, null);
  const { stored } = read;
  if (recordState(read).kind === "absent" || stored === null) return null;
  await requireOpenPeople(parts, row, read, stored, { signal: undefined, asked });
  const document = await openConsent(parts, row, stored);
  requireKeyStore(parts.subjectKeys);
  const place = { row, address: row };
  const released = { ...concerned(place, stored, stored.version), rows: read, message: stored.message, kms: [] };
  if (!(await asked.released("read", [released]))) return OVERTAKEN;
  return consentIn(document, stored.version);
}

function consentIn(document: JsonObject, version: Version): Consent {
  const { purpose, state, at, evidence = null } = document;
  if (!isPurpose(purpose) || (state !== "given" && state !== "withdrawn") || typeof at !== "string")
    throw new VaultError("record-tampered", "A consent is not as the vault writes them");
  return { purpose, state, at, evidence: typeof evidence === "string" ? evidence : null, version };
}
