/**
 * A person's key under their tenant's key: no KMS is asked. A key is derived for each wrap, as the hierarchical keyring
 * does for data keys, so that nobody has to count how often a tenant's key was used; and the wrap is bound to whose it
 * is, so that it opens at no other place.
 */
import { unwrapUnder, wrapUnder, wrapVersionOf } from "@strongroom/envelope/keyrings";
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import type { KeyVersion, KeyWrap } from "../stores/key-store.ts";
import type { WrapSet } from "../stores/wrap-set.ts";
import { isTenant } from "./key-binding.ts";
import { lp } from "./length-prefixed.ts";
import type { Tenant } from "./subject-keys.ts";

export const TENANT_PROVIDER = "strongroom-tenant";
const KEY_LENGTH = 32;

/** What a wrap under a tenant's key is bound to. */
export interface TenantBinding {
  readonly vault: string;
  readonly tenant: Tenant;
  /** The person's opaque id. */
  readonly owner: string;
  readonly version: KeyVersion;
  readonly generation: number;
}

/** A tenant's key that is at hand. */
export interface TenantKey {
  readonly version: string;
  readonly key: SecretBytes;
}

export function tenantWrap(key: SecretBytes, { version, key: tenantKey }: TenantKey, bound: TenantBinding): KeyWrap {
  return {
    provider: TENANT_PROVIDER,
    info: Buffer.from(bound.tenant, "utf8"),
    ciphertext: wrapUnder(key, version, sealing(tenantKey, version, bound)),
  };
}

/** The key in a wrap; null when it does not open. */
export function tenantUnwrap(
  { ciphertext }: KeyWrap,
  { version, key: tenantKey }: TenantKey,
  bound: TenantBinding,
): SecretBytes | null {
  return unwrapUnder(ciphertext, sealing(tenantKey, version, bound));
}

/** Under which version of whose key a row's wrap is, by what it says itself; null: it is no such wrap. */
export function namedTenantKey(
  wraps: readonly KeyWrap[],
): { readonly wrap: KeyWrap; readonly tenant: Tenant; readonly version: string } | null {
  const [wrap, ...more] = wraps;
  if (wrap === undefined || more.length > 0 || wrap.provider !== TENANT_PROVIDER) return null;
  const tenant = Buffer.from(wrap.info).toString("latin1");
  const version = wrapVersionOf(wrap.ciphertext, KEY_LENGTH);
  return version !== null && isTenant(tenant) ? { wrap, tenant, version } : null;
}

/**
 * Of every key under this version of this tenant's key: a new version is to a tenant's key what other material is to a
 * key of a KMS. Programs of before told no version.
 */
export function tenantWrapSet(tenant: Tenant, version: string): WrapSet {
  return { wraps: [{ provider: TENANT_PROVIDER, key: tenant, material: version }], target: 1, missing: [] };
}

/** Whose key things of this wrap set are under, and which version; null: under no tenant's. */
export function tenantOfSet(
  set: WrapSet | null,
): { readonly tenant: Tenant; /** Null: nobody told. */ readonly version: string | null } | null {
  const [wrap, ...more] = set?.wraps ?? [];
  if (wrap === undefined || more.length > 0 || wrap.provider !== TENANT_PROVIDER) return null;
  return { tenant: wrap.key, version: wrap.material };
}

function sealing(
  key: SecretBytes,
  tenantVersion: string,
  { vault, tenant, owner, version, generation }: TenantBinding,
): { readonly label: string; readonly key: SecretBytes; readonly aad: Buffer } {
  return { label: TENANT_PROVIDER, key, aad: lp([vault, tenant, tenantVersion, owner, version, generation]) };
}
