/**
 * A person's audit key under the root of the audit: no KMS is asked. Made as a person's key is under a tenant's
 * (keys/tenant-wrap.ts), under a label of its own, and bound to whose it is.
 */
import { unwrapUnder, wrapUnder, wrapVersionOf } from "@strongroom/envelope/keyrings";
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import { isKeyOf, VAULT_OWNER } from "../keys/key-binding.ts";
import type { CheckedColumns } from "../keys/key-binding.ts";
import { lp } from "../keys/length-prefixed.ts";
import type { KeyRow, KeyWrap } from "../stores/key-store.ts";
import type { WrapSet } from "../stores/wrap-set.ts";
import { KEY_LENGTH } from "./key-derivation.ts";

export const AUDIT_PROVIDER = "strongroom-audit";

/** The root, opened. */
export interface AuditRoot {
  readonly vault: string;
  readonly version: string;
  readonly key: SecretBytes;
}

/** Of every key under the root. */
export const AUDIT_WRAP_SET: WrapSet = {
  wraps: [{ provider: AUDIT_PROVIDER, key: VAULT_OWNER, material: null }],
  target: 1,
  missing: [],
};

export function auditWrap(key: SecretBytes, root: AuditRoot, columns: CheckedColumns): KeyWrap {
  return {
    provider: AUDIT_PROVIDER,
    info: Buffer.from(VAULT_OWNER, "utf8"),
    ciphertext: wrapUnder(key, root.version, sealing(root, columns)),
  };
}

/** The key of a row; null: it is none that was wrapped under this root for this owner. */
export function auditUnwrap(row: KeyRow, root: AuditRoot): SecretBytes | null {
  const [wrap, ...more] = row.wraps;
  if (wrap === undefined || more.length > 0 || wrap.provider !== AUDIT_PROVIDER) return null;
  if (wrapVersionOf(wrap.ciphertext, KEY_LENGTH) !== root.version) return null;
  const key = unwrapUnder(wrap.ciphertext, sealing(root, row));
  if (key === null || isKeyOf(key, root.vault, row)) return key;
  key.wipe();
  return null;
}

function sealing(
  { vault, version, key }: AuditRoot,
  { owner, version: own, generation }: CheckedColumns,
): { readonly label: string; readonly key: SecretBytes; readonly aad: Buffer } {
  return { label: AUDIT_PROVIDER, key, aad: lp([vault, version, owner, own, generation]) };
}
