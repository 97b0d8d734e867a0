/**
 * The keys of the key store: each is opened where it lies, through no cache, and must be the one that it was made as.
 * Keys under regions by one wrap or by each of them; a person's under a tenant's key, and the audit's, by no KMS.
 */
import type { OpeningKey } from "@strongroom/envelope/keyrings";
import type { AuditKeyOwner } from "../audit/audit-keys.ts";
import type { VaultError } from "../errors.ts";
import { isUnderRegions, keyTampered, soundRow } from "../keys/key-binding.ts";
import { RegionWraps, wrappingKeyOf, wrapSetOf } from "../keys/region-wraps.ts";
import type { InventoryItem } from "../stores/inventory.ts";
import type { KeyPlace, KeyRow, KeyVersion, KeyWrap } from "../stores/key-store.ts";
import { wrapSetForm } from "../stores/wrap-set.ts";
import type { WrapSet } from "../stores/wrap-set.ts";
import { countUnopened, isUnopened, ofOne } from "./parts.ts";
import type { VerifiedKeys, VerifyRun } from "./parts.ts";
import { VERIFY_CODES } from "./report.ts";
import type { VerifyCode } from "./report.ts";

/** A row of the key store whose wraps are looked at. */
interface LookedAt {
  readonly run: VerifyRun;
  readonly keys: VerifiedKeys;
  readonly row: KeyRow;
}

export async function verifyKey(
  run: VerifyRun,
  keys: VerifiedKeys,
  { place, collection, id }: Pick<InventoryItem<KeyPlace>, "place" | "collection" | "id">,
): Promise<void> {
  const { findings } = run;
  findings.looked("keys");
  if (place === null) {
    const message = `A row of the key store holds what nobody writes (${collection})`;
    findings.add({
      code: "subject-key-tampered",
      message,
      place: { kind: "key", key: null, owner: id, version: null },
    });
    return;
  }
  try {
    const { owner, kind, version } = place;
    const row = soundRow(await keys.store.keys.version(owner, version), { owner, kinds: [kind], version });
    // Erased since it was found.
    if (row === null) return;
    if (isUnderRegions(row)) await lookAtWraps({ run, keys, row });
    else await requireOpens({ run, keys, row });
  } catch (error) {
    const failure = ofOne(error);
    if (isUnopened(failure)) countUnopened(findings, failure);
    else if (await isThere(keys, place)) tell(run, place, failure.code, failure.message);
  }
}

/** Whether it was not erased meanwhile. */
async function isThere({ store }: VerifiedKeys, { owner, version }: KeyPlace): Promise<boolean> {
  const { key, damage } = await store.keys.version(owner, version);
  return key !== null || damage !== undefined;
}

function tell(
  { findings }: VerifyRun,
  { kind, owner, version }: KeyPlace,
  code: VerifyCode,
  message: string,
  { region, isOwed }: { readonly region?: string | null; readonly isOwed?: boolean } = {},
): void {
  const place = { kind: "key", key: kind, owner, version, ...(typeof region === "string" ? { region } : {}) } as const;
  findings.add({ code, message, place, ...(isOwed === true ? { owed: true } : {}) });
}

/** A key of the audit that its entries name, and that is not there. */
export function tellMissing({ findings }: VerifyRun, version: KeyVersion): void {
  const message = "A key of the audit is gone that entries name: what they say of somebody is not read any more";
  findings.add({ code: "key-missing", message, place: { kind: "key", key: "audit", owner: null, version } });
}

/** A key that another key of this store wraps. @throws VaultError `subject-key-tampered` */
async function requireOpens({ run: { audit }, keys: { subjectKeys }, row }: LookedAt): Promise<void> {
  if (row.kind === "tenant-subject") return subjectKeys.proveKey(row);
  // Without an audit its keys are opened by nobody.
  if (audit === null) return;
  const versions = await audit.keys.versionsOf(row.owner as AuditKeyOwner);
  if (!versions.includes(row.version)) throw keyTampered("An audit key is not the one that it was made as");
}

async function lookAtWraps(looked: LookedAt): Promise<void> {
  const { run, keys, row } = looked;
  const wraps = new RegionWraps(keys.dependencies);
  const refused = run.regions === "each" ? await openEach(looked, wraps) : await openAny(looked, wraps);
  const account = row.wrapSet;
  const isOwed = refused.length > 0 && run.repairWraps && (await wraps.owe(row, refused)) !== null;
  for (const { region } of refused)
    tell(run, row, "wrap-does-not-open", VERIFY_CODES["wrap-does-not-open"], { region, isOwed });
  if (refused.length === 0 && !isAccountOf(account, row.wraps))
    tell(run, row, "wraps-miscounted", VERIFY_CODES["wraps-miscounted"], { isOwed: await recount(looked) });
}

/** By the first wrap that opens: those that were tried before it are the ones that do not. */
async function openAny({ run, row }: LookedAt, wraps: RegionWraps): Promise<readonly OpeningKey[]> {
  const { key, refused = [] } = await wraps.open(row);
  key.wipe();
  run.findings.looked("wraps", 1 + refused.length);
  return refused;
}

/** @throws VaultError when none opens */
async function openEach({ run, row }: LookedAt, wraps: RegionWraps): Promise<readonly OpeningKey[]> {
  const refused: OpeningKey[] = [];
  const failures: VaultError[] = [];
  for (const wrap of row.wraps) {
    const named = wrappingKeyOf(wrap);
    try {
      const { key } = await wraps.open({ ...row, wraps: [wrap] });
      key.wipe();
    } catch (error) {
      const failure = ofOne(error);
      failures.push(failure);
      if (isUnopened(failure)) countUnopened(run.findings, failure);
      else if (failure.code === "subject-key-tampered") refused.push(named);
      else tell(run, row, "wrap-not-configured", VERIFY_CODES["wrap-not-configured"], named);
    }
    run.findings.looked("wraps");
  }
  const opened = row.wraps.length - failures.length;
  if (opened > 0) return refused;
  // Of a key that no wrap opened to, the wraps are not what is wrong; unless regions that were not asked could tell.
  const [last] = failures.filter((failure) => !isUnopened(failure));
  if (last === undefined) return [];
  throw failures.some(isUnopened) ? last : keyTampered("No wrap of a stored key opens to the key that it was made as");
}

function isAccountOf(account: WrapSet | null, wraps: readonly KeyWrap[]): boolean {
  // Which material of a key a wrap is under was told when it was made, and is not in the wrap.
  const bare = ({ wraps: found }: Pick<WrapSet, "wraps">): string =>
    wrapSetForm({ wraps: found.map((wrap) => ({ ...wrap, material: null })), target: 0, missing: [] });
  return account !== null && bare(account) === bare(wrapSetOf(wraps));
}

/** Sets the account of a row's wraps right, where that is asked for: the repair then finds what is owed. */
async function recount({ run, keys, row }: LookedAt): Promise<boolean> {
  if (!run.repairWraps) return false;
  const { keySets, clock, store } = keys.dependencies;
  const { kind, owner, version, wraps } = row;
  const { epoch } = await keySets.forWriting();
  const set = wrapSetOf(wraps);
  const missing = (row.wrapSet?.missing ?? []).filter(({ keyArn }) => set.wraps.every(({ key }) => key !== keyArn));
  const lost = (row.wrapSet?.wraps ?? [])
    .filter(({ key }) => set.wraps.every((wrap) => wrap.key !== key))
    .map(({ key }) => ({ region: regionOf(key), keyArn: key, reason: "wrong-data-key" }));
  const result = await store.inventory.rewrap({
    ...{ place: { kind, owner, version }, seen: row.stamp, epoch, wraps: null, moved: null },
    wrapSet: { ...set, target: Math.max(row.wrapSet?.target ?? 0, set.target), missing: [...missing, ...lost] },
    ...{ at: clock().toISOString(), lease: null },
  });
  return result.kind === "made";
}

const regionOf = (arn: string): string => arn.split(":")[3] ?? "";
