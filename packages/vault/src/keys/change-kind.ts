/**
 * A person's key under the regions becomes one under their tenant's key, or the other way round: the same bytes under
 * the same version, so that no message and no name is touched. What changes is what wraps it, and its row's check.
 */
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import type { KeyRow } from "../stores/key-store.ts";
import { isKeyOf, keyCheck, keyTampered } from "./key-binding.ts";
import { disposable } from "./opened-key.ts";
import { RegionWraps } from "./region-wraps.ts";
import type { ChangedKind, KindChange, Tenant } from "./subject-keys.ts";
import { tenantUnwrap, tenantWrap, tenantWrapSet } from "./tenant-wrap.ts";
import type { VaultKeys } from "./vault-keys.ts";

/** How a key changes its kind. */
export interface KindWishes {
  /** Whose person it is. */
  readonly tenant: Tenant;
  /** Whether new wraps under the regions are opened before they count. */
  readonly isProven: boolean;
  readonly signal: AbortSignal | undefined;
}

/** @throws VaultError `subject-key-tampered`, and as opening and wrapping do */
export async function changeKind(
  keys: VaultKeys,
  row: KeyRow,
  as: ChangedKind,
  { tenant, isProven, signal }: KindWishes,
): Promise<KindChange> {
  const { vault } = keys.dependencies;
  using opened = disposable(await keys.version(row, row.version, signal));
  const { key } = opened;
  if (as.kind === "subject") {
    const regions = new RegionWraps(keys.dependencies);
    const { generation: wrappedIn, ...wrapped } = await regions.wrap(key, { ...row, ...as }, signal);
    const columns = { ...row, ...as, generation: wrappedIn };
    const moved = { generation: wrappedIn, check: keyCheck(key, vault, columns), as };
    if (isProven)
      for (const wrap of wrapped.wraps) (await regions.open({ ...columns, ...moved, wraps: [wrap] })).key.wipe();
    return { ...wrapped, moved };
  }
  return await underTenant(keys, { row: { ...row, ...as }, key, as }, { tenant, signal });
}

/** The same key under the key that its tenant has in the generation in force. @throws as {@link changeKind} */
export async function rewrapUnderTenant(
  keys: VaultKeys,
  row: KeyRow,
  signal: AbortSignal | undefined,
): Promise<KindChange> {
  using opened = disposable(await keys.version(row, row.version, signal));
  // What the wrap named its opening has proved.
  if (opened.tenant === null) throw keyTampered("A person's key is not under a tenant's key as its row says");
  return await underTenant(keys, { row, key: opened.key }, { tenant: opened.tenant, signal });
}

/** A person's key, opened, and what its row says of it. */
interface OpenedRow {
  readonly row: KeyRow;
  readonly key: SecretBytes;
  /** Left out: it stays of its kind. */
  readonly as?: ChangedKind;
}

/**
 * What the row of a person's key becomes that is wrapped anew under the key of their tenant, of the shredding
 * generation in force. No KMS is asked, unless the tenant's key has to be made or opened.
 */
async function underTenant(
  keys: VaultKeys,
  { row, key, as }: OpenedRow,
  { tenant, signal }: Omit<KindWishes, "isProven">,
): Promise<KindChange> {
  const { vault } = keys.dependencies;
  using tenantKey = await keys.ofTenant(tenant, signal);
  const { epoch, generation } = tenantKey;
  const columns = { ...row, generation };
  const moved = { generation, check: keyCheck(key, vault, columns), ...(as === undefined ? {} : { as }) };
  const bound = { vault, tenant, ...columns };
  const wrap = tenantWrap(key, tenantKey, bound);
  requireRight(tenantUnwrap(wrap, tenantKey, bound), vault, { ...columns, ...moved });
  return { epoch, wraps: [wrap], moved, wrapSet: tenantWrapSet(tenant, tenantKey.version) };
}

/** It is the only wrap from then on. */
function requireRight(key: SecretBytes | null, vault: string, row: Parameters<typeof isKeyOf>[2]): void {
  const isRight = key !== null && isKeyOf(key, vault, row);
  key?.wipe();
  if (!isRight) throw keyTampered("A key that was just wrapped does not open to what it was");
}
