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
  const { vault, generation, keySets } = keys.dependencies;
  const { epoch } = await keySets.forWriting();
  using opened = disposable(await keys.version(row, row.version, signal));
  const { key } = opened;
  const columns = { ...row, ...as, generation };
  const moved = { generation, check: keyCheck(key, vault, columns), as };
  if (as.kind === "subject") {
    const regions = new RegionWraps(keys.dependencies);
    const wrapped = await regions.wrap(key, columns, signal);
    if (isProven)
      for (const wrap of wrapped.wraps) (await regions.open({ ...columns, ...moved, wraps: [wrap] })).key.wipe();
    return { ...wrapped, moved };
  }
  using tenantKey = disposable(await keys.ofTenant(tenant, signal));
  const bound = { vault, tenant, ...columns };
  const wrap = tenantWrap(key, tenantKey, bound);
  requireRight(tenantUnwrap(wrap, tenantKey, bound), vault, { ...columns, ...moved });
  return { epoch, wraps: [wrap], moved, wrapSet: tenantWrapSet(tenant) };
}

/** It is the only wrap from then on. */
function requireRight(key: SecretBytes | null, vault: string, row: Parameters<typeof isKeyOf>[2]): void {
  const isRight = key !== null && isKeyOf(key, vault, row);
  key?.wipe();
  if (!isRight) throw keyTampered("A key that was just wrapped does not open to what it was");
}
