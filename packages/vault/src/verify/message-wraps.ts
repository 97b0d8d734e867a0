/**
 * The wraps of a message that has some of its own (of `record` scope), each opened in its own region alone.
 */
import { decrypt, inspect } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import { envelopeFailure, openByOthers } from "../envelope-failure.ts";
import type { VaultError } from "../errors.ts";
import { onlyWrap } from "../keys/one-wrap.ts";
import { isOfKeyStore, wrapsOf } from "../keys/wraps.ts";
import type { Address } from "../records/address.ts";
import { versionContext } from "../records/version.ts";
import type { VersionAddress } from "../records/version.ts";
import type { StoredMessage } from "../stores/rows.ts";
import type { MissingWrap } from "../stores/wrap-set.ts";
import type { Look } from "./look.ts";
import { isUnopened, ofOne } from "./parts.ts";
import type { VerifyRun } from "./parts.ts";
import { VERIFY_CODES } from "./report.ts";

/** A version that opens. */
interface OpenedVersion {
  readonly address: Address;
  readonly of: VersionAddress;
  readonly stored: StoredMessage;
}

export async function lookAtMessageWraps(run: VerifyRun, version: OpenedVersion, look: Look): Promise<void> {
  const { of, stored } = version;
  const wraps = inspect(stored.message).encryptedDataKeys;
  if (of.vault !== undefined && wraps.some(isOfKeyStore)) return;
  const bad: MissingWrap[] = [];
  for (const [index, { keyInfo, region }] of wraps.entries()) {
    const error = await openOnly(run, version, index);
    look.wraps++;
    if (error === null) continue;
    if (isUnopened(error)) look.unopened.push(error);
    else if (error.code === "record-tampered")
      bad.push({ region: region ?? "", keyArn: keyInfo, reason: "wrong-data-key" });
    else note(look, "wrap-not-configured", stored, region ?? "");
  }
  if (bad.length === 0) return;
  const isOwed = run.repairWraps && (await owe(run, version, bad));
  for (const { region } of bad) note(look, "wrap-does-not-open", stored, region, isOwed);
}

function note(
  { found }: Look,
  code: "wrap-does-not-open" | "wrap-not-configured",
  { version }: StoredMessage,
  region: string,
  isOwed = false,
): void {
  found.push({ code, message: VERIFY_CODES[code], version, region, ...(isOwed ? { owed: true } : {}) });
}

/** @returns why it does not open by this wrap; null: it does */
async function openOnly(run: VerifyRun, { of, stored }: OpenedVersion, index: number): Promise<VaultError | null> {
  const { signal } = run;
  const open = async (keyring: Keyring): Promise<null> => {
    const options = { keyring: onlyWrap(keyring, index), encryptionContext: versionContext(of) };
    (await decrypt(stored.message, { ...options, ...(signal === undefined ? {} : { signal }) })).plaintext.fill(0);
    return null;
  };
  const [first, ...others] = run.records.keys.forReading(() =>
    inspect(stored.message).encryptedDataKeys.map(({ keyInfo }) => keyInfo),
  );
  try {
    return await open(first);
  } catch (error) {
    return openByOthers(others, open, envelopeFailure(error)).catch(ofOne);
  }
}

/**
 * Notes wraps as owed. They lie in the message until the repair seals it anew: a message's wraps are authenticated with
 * it. What is not noted now is found again.
 */
async function owe(run: VerifyRun, { address, stored }: OpenedVersion, bad: readonly MissingWrap[]): Promise<boolean> {
  const { store, keys, clock } = run.records;
  const wrong = new Set(bad.map(({ keyArn }) => keyArn));
  const wraps = wrapsOf(stored.message);
  const right = wraps.filter(({ key }) => !wrong.has(key));
  if (right.length === 0) return false;
  try {
    const { epoch } = await keys.forWriting();
    const wrapSet = { wraps: right, target: Math.max(stored.wraps.target, wraps.length), missing: bad };
    const place = { ...address, version: stored.version };
    const at = clock().toISOString();
    const change = { place, seen: stored.stamp, epoch, message: null, wrapSet, at, lease: null };
    return (await store.inventory.rewrap(change)).kind === "made";
  } catch (error) {
    ofOne(error);
    return false;
  }
}
