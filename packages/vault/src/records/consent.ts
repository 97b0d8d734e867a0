/**
 * Whether everybody whom a record is about has given their consent to a purpose that needs one. A consent is a record
 * of a collection of the vault's own, sealed under the person's key and in the audit as any other: one that was set
 * back, or taken away, is found as such, and is none. It is looked at with each read, in every process, and once more
 * behind the audit's entry: whoever withdraws it has then been overlooked by nobody.
 */
import { VaultError } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { RecordRead, StoredMessage } from "../stores/rows.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { CONSENTS } from "./address.ts";
import type { Address, RecordId } from "./address.ts";
import { OVERTAKEN, untilNewest } from "./asked.ts";
import type { Asked } from "./asked.ts";
import type { JsonObject } from "./document.ts";
import { peopleOf } from "./people.ts";
import { openVersion, storedAddress } from "./version.ts";

/** Where the consent of somebody to a purpose lies: no name is in it. */
export const consentAddress = (person: SubjectId, purpose: string): Address => ({
  collection: CONSENTS,
  id: `${person}.${purpose}` as RecordId,
});

type Looking = Pick<Dependencies, "store" | "keys" | "subjectKeys" | "declarations">;

/**
 * Looks now, and has `asked` look again.
 *
 * @throws VaultError `consent-missing`; `record-rolled-back`, `record-tampered` of the consent; what opening it throws
 */
export async function requireConsents(
  dependencies: Looking,
  { collection }: Pick<Address, "collection">,
  stored: Pick<StoredMessage, "scheme" | "subject" | "about">,
  asked: Asked,
): Promise<void> {
  const { purpose } = asked;
  if (purpose === undefined || !dependencies.declarations.of(collection).rights.consents.has(purpose)) return;
  // Of the first scheme nobody has an id that a consent could be found by.
  if (stored.scheme === 1) throw consentMissing();
  for (const person of peopleOf(collection, stored))
    await asked.onlyWhile(`consent ${person}`, async () => {
      if (!(await isConsented(dependencies, consentAddress(person, purpose), asked))) throw consentMissing();
    });
}

const isConsented = (dependencies: Looking, address: Address, asked: Asked): Promise<boolean> =>
  untilNewest(() => isConsentedOnce(dependencies, address, asked));

async function isConsentedOnce(
  dependencies: Looking,
  address: Address,
  asked: Asked,
): Promise<boolean | typeof OVERTAKEN> {
  const read = await dependencies.store.records.read(address, null);
  const { stored } = read;
  const { version = null, message = null } = stored ?? {};
  // Also where there is none: it may have been taken away.
  if (!(await asked.areNewest([{ row: address, rows: read, version, message }]))) return OVERTAKEN;
  if (!isLive(read) || stored === null) return false;
  return saysGiven(await openConsent(dependencies, address, stored));
}

const isLive = ({ head, newestRow, damage, stored }: RecordRead): boolean =>
  damage === undefined && head?.state === "live" && newestRow === head.version && stored?.version === head.version;

/** @throws VaultError what opening a version throws */
export function openConsent(
  { keys, subjectKeys }: Pick<Looking, "keys" | "subjectKeys">,
  address: Address,
  stored: StoredMessage,
): Promise<JsonObject> {
  const of = storedAddress(address, stored, subjectKeys);
  return openVersion(stored.message, of, { keys, subjectKeys, signal: undefined });
}

const saysGiven = (document: JsonObject): boolean => document["state"] === "given";

function consentMissing(): VaultError {
  return new VaultError("consent-missing", "Somebody whom the record is about has not given their consent to this use");
}
