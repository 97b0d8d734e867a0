/**
 * Repairs one version: reads and opens it where it lies, seals the same bytes in a new message, and puts that in its
 * place if nothing has happened there meanwhile.
 *
 * Never the old message with more wraps: its header is authenticated with a key derived for its message id and a fixed
 * IV, so a second header under the same id would repeat a nonce and give the authentication key away. A new message has
 * an id and a data key of its own.
 */
import { inspect } from "@strongroom/envelope";
import type { InspectedDataKey, Keyring } from "@strongroom/envelope";
import { envelopeFailure } from "../envelope-failure.ts";
import { VaultError } from "../errors.ts";
import { openBytes, sealBytes } from "../sealed-version.ts";
import type { RecordStore, VersionPlace } from "../store.ts";
import { verdict } from "./verdict.ts";

export interface RepairWorkings {
  readonly store: RecordStore;
  readonly keyring: Keyring;
  readonly clock: () => Date;
  readonly signal: AbortSignal | undefined;
}

export type RepairOutcome =
  /** The version has wraps in `gained` now. */
  | { readonly kind: "repaired"; readonly gained: readonly string[] }
  /** Nothing is owed any more by what is configured by now; the message stayed. */
  | { readonly kind: "settled" }
  /** A writer, a removal or another repair was faster; nothing was changed. */
  | { readonly kind: "overtaken" };

/**
 * `retryMs`: how long what is still missing afterwards waits for the next repair.
 *
 * @throws VaultError `version-absent`; the `record-…` codes, `key-not-configured`, `regions-unavailable`,
 *   `wraps-below-minimum`, `wraps-still-missing`, `wraps-would-be-lost`, `deadline-exceeded`, `aborted`,
 *   `encryption-failed`; the store's. The stored message is as it was then.
 */
export async function repairVersion(
  { store, keyring, clock, signal }: RepairWorkings,
  place: VersionPlace,
  retryMs: number,
): Promise<RepairOutcome> {
  const { stored } = await store.read(place, place.version);
  if (stored === null) {
    // Its debts go with a removed version; when they are there and it is not, they were claimed before or a hand
    // deleted the row.
    throw new VaultError("version-absent", "The version that owes a wrap is not there");
  }
  const { message: base, subject } = stored;
  const address = { ...place, subject };
  const plaintext = await openBytes(base, address, { keyring, signal });
  try {
    const sealed = await sealBytes(plaintext, address, { keyring, signal });
    const judged = verdict(wrapsOf(base), wrapsOf(sealed.message), sealed.missing);
    const now = clock();
    const result = await store.repair({
      place,
      base,
      message: judged.kind === "replace" ? sealed.message : null,
      wraps: judged.kind === "replace" ? sealed.wraps : { stored: stored.wraps.stored, target: sealed.wraps.target },
      missing: sealed.missing,
      dueAt: now.getTime() + retryMs,
      at: now.toISOString(),
    });
    if (result === "overtaken") return { kind: "overtaken" };
    return judged.kind === "replace" ? { kind: "repaired", gained: judged.gained } : judged;
  } finally {
    plaintext.fill(0);
  }
}

function wrapsOf(message: Uint8Array): readonly InspectedDataKey[] {
  try {
    return inspect(message).encryptedDataKeys;
  } catch (error) {
    throw envelopeFailure(error);
  }
}
