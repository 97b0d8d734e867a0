/**
 * Corrects what is held of somebody (article 16 of the GDPR), and says who was given what was wrong (article 19).
 */
import { VaultError } from "../errors.ts";
import { isPurpose } from "../collections/purposes.ts";
import type { Address } from "../records/address.ts";
import type { Asked } from "../records/asked.ts";
import { isObject } from "../records/document.ts";
import type { JsonObject, JsonValue } from "../records/document.ts";
import { peopleOf } from "../records/people.ts";
import { get, recordAbsent } from "../records/read.ts";
import { put } from "../records/write.ts";
import type { Named } from "../subjects/subjects.ts";
import { heldPerson } from "./parts.ts";
import type { RightsParts } from "./parts.ts";
import { recipientsOf } from "./recipients.ts";
import type { Recipient } from "./recipients.ts";

/** Why, and of whose records. */
export interface RectifyOptions {
  /** A code of up to 64 of `a-z0-9.-`, such as `data-subject-request`. */
  readonly reason: string;
  readonly tenant?: string;
  readonly signal?: AbortSignal;
}

/** What was corrected, and who is to be told. */
export interface Rectified {
  readonly collection: string;
  readonly id: string;
  readonly version: number;
  /** Exports that had the record in them. */
  readonly recipients: readonly Recipient[];
}

const ATTEMPTS = 16;

/** @throws VaultError `vault-option-invalid` */
export function parseReason(reason: unknown): string {
  if (isPurpose(reason)) return reason;
  throw new VaultError("vault-option-invalid", "A reason is a code of 1 to 64 characters of a-z, 0-9, '.' and '-'");
}

/**
 * `vault.rights.rectify`: a new version with these changes, as RFC 7396 merges them: a null takes a member away.
 *
 * @throws VaultError `record-absent`: there is none, or it is about somebody else; what `get` and `put` throw
 */
export async function rectify(
  parts: RightsParts,
  who: Named,
  { address, changes, reason }: { readonly address: Address; readonly changes: JsonObject; readonly reason: string },
  asked: Asked,
): Promise<Rectified> {
  const { row: person } = await heldPerson(parts, who, asked);
  const { signal } = who;
  const details = { reason, members: Object.keys(changes).length };
  const facts = { collection: address.collection, people: [person.id], details };
  const { version } = await asked.act("rectify", facts, async () => {
    for (let attempt = 1; ; attempt++) {
      const row = await parts.rowAddresses.of(address, signal);
      const { stored } = await parts.store.records.read(row, null);
      // Whose it is the next read proves; here nobody is told of a record of somebody else.
      const isTheirs = stored?.scheme === 2 && peopleOf(row.collection, stored).includes(person.id);
      if (!isTheirs) throw recordAbsent();
      const is = await get(parts, address, signal === undefined ? {} : { signal }, asked);
      const expect = { kind: "version", version: is.version } as const;
      try {
        return await put(parts, address, merged(is.document, changes), { expect, ...(signal && { signal }) }, asked);
      } catch (error) {
        if (!isConflict(error) || attempt === ATTEMPTS) throw error;
      }
    }
  });
  const tenant = { tenant: who.tenant };
  const given = await recipientsOf(parts.view, who.name, tenant);
  const isIn = ({ records }: Recipient): boolean =>
    records.some(({ collection, id }) => collection === address.collection && id === address.id);
  return { ...address, version, recipients: given.filter(isIn) };
}

const isConflict = (error: unknown): boolean => error instanceof VaultError && error.code === "version-conflict";

/** RFC 7396. */
function merged(into: JsonObject, changes: JsonObject): JsonObject {
  const result = new Map<string, JsonValue>(Object.entries(into));
  for (const [name, change] of Object.entries(changes)) {
    const is = result.get(name);
    if (change === null) result.delete(name);
    else result.set(name, isObject(change) ? merged(isObject(is) ? is : {}, change) : change);
  }
  // Not by assignment: a member may be called __proto__.
  return Object.fromEntries(result);
}
