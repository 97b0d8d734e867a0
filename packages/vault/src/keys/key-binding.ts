/**
 * What a stored key is bound to: the context of its wraps and the check beside them. Both are computed from the key
 * that was asked for; a row that was moved, swapped or changed has others.
 */
import { timingSafeEqual } from "node:crypto";
import { keyedHash } from "@strongroom/envelope/keyrings";
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import { VaultError } from "../errors.ts";
import { isCollection } from "../records/address.ts";
import type { JsonObject } from "../records/json.ts";
import type { KeyKind, KeyName, KeyPlace, KeyRead, KeyRow, NewKey } from "../stores/key-store.ts";
import { isSubjectId } from "../stores/subjects.ts";
import { lp } from "./length-prefixed.ts";
import type { Tenant } from "./subject-keys.ts";

/** Owner of the keys that the whole vault has. */
export const VAULT_OWNER = "vault";

/** Entry of the KMS context in which each wrap names its own wrapping key. */
export const KEY_ARN_ENTRY = "kms-arn";

const CHECK_LABEL = "strongroom/key-check/1";
const TENANT = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** The tenant of those who have declared none. */
export const DEFAULT_TENANT: Tenant = "default";

/** Whether a text is a tenant. */
export function isTenant(value: unknown): value is Tenant {
  return typeof value === "string" && TENANT.test(value);
}

/** Whose record it is: its person's; of a record about nobody, as its collection declares it. */
export function tenantOfRecord(
  { tenant }: { readonly tenant: Tenant | { readonly field: string } },
  ofPerson: Tenant | null,
  document: JsonObject,
): Tenant {
  if (ofPerson !== null) return ofPerson;
  if (typeof tenant === "string") return tenant;
  const said = Object.hasOwn(document, tenant.field) ? document[tenant.field] : undefined;
  return isTenant(said) ? said : DEFAULT_TENANT;
}

/** By which messages and wraps name a key: a person's opaque id, or `KIND:OWNER`. */
export function branchKeyId({ kind, owner }: KeyName): string {
  return kind === "subject" || kind === "tenant-subject" ? owner : `${kind}:${owner}`;
}

/** Whose key a text names, and of which kinds it may be; null: it names none. */
export function ownerOf(id: string): { readonly owner: string; readonly kinds: readonly KeyKind[] } | null {
  if (isSubjectId(id)) return { owner: id, kinds: ["subject", "tenant-subject"] };
  const [kind = "", owner = "", ...more] = id.split(":");
  if (more.length > 0 || !Object.hasOwn(IS_OWNER, kind)) return null;
  return IS_OWNER[kind]?.(owner) === true ? { owner, kinds: [kind as KeyKind] } : null;
}

/** Kind -> whether a text can be the owner of such a key. Kinds of people are told by the id alone. */
const IS_OWNER: Readonly<Record<string, (owner: string) => boolean>> = {
  collection: isCollection,
  tenant: isTenant,
  lookup: (owner) => owner === VAULT_OWNER,
  names: (owner) => owner === VAULT_OWNER,
  audit: (owner) => owner === VAULT_OWNER,
  mask: (owner) => owner === VAULT_OWNER,
  index: (owner) => owner === VAULT_OWNER,
};

/**
 * The KMS context of a key's wraps: that of a decrypt-only branch key (framework/branch-key-store.md, "Encryption
 * Context"). Each wrap has its wrapping key's ARN besides, in {@link KEY_ARN_ENTRY}.
 */
export function keyContext(vault: string, place: KeyPlace, createdAt: string): Readonly<Record<string, string>> {
  return {
    "branch-key-id": branchKeyId(place),
    type: `branch:version:${place.version}`,
    "create-time": createdAt,
    tablename: `strongroom/${vault}`,
    "hierarchy-version": "1",
  };
}

/** Whether regions wrap such a key: a tenant's wraps its people's, and the root of the audit its other keys. */
export function isUnderRegions({ kind, owner }: KeyName): boolean {
  return kind !== "tenant-subject" && (kind !== "audit" || owner === VAULT_OWNER);
}

/** The columns of a key that its check binds. */
export type CheckedColumns = Pick<NewKey, "kind" | "owner" | "version" | "ordinal" | "generation" | "createdAt">;

/** By which whoever has opened a key knows it and its row's columns again. */
export function keyCheck(key: SecretBytes | Uint8Array, vault: string, columns: CheckedColumns): Buffer {
  const { kind, owner, version, ordinal, generation, createdAt } = columns;
  return keyedHash(key, lp([CHECK_LABEL, vault, kind, owner, version, ordinal, generation, createdAt]));
}

/** Whether an opened key is the one whose row this is. */
export function isKeyOf(
  key: SecretBytes | Uint8Array,
  vault: string,
  row: CheckedColumns & Pick<NewKey, "check">,
): boolean {
  const expected = keyCheck(key, vault, row);
  return row.check.length === expected.length && timingSafeEqual(expected, row.check);
}

/**
 * The row that was asked for; null: there is none.
 *
 * @throws VaultError `subject-key-tampered`
 */
export function soundRow(
  { key, damage }: KeyRead,
  asked: { readonly owner: string; readonly kinds: readonly KeyKind[]; readonly version?: string },
): KeyRow | null {
  if (damage !== undefined) throw keyTampered("A row of the key store holds what nobody writes");
  if (key === null) return null;
  const isAsked =
    key.owner === asked.owner &&
    asked.kinds.includes(key.kind) &&
    (asked.version === undefined || key.version === asked.version);
  if (!isAsked) throw keyTampered("The key store answered another key than it was asked for");
  return key;
}

export function keyTampered(why: string, cause?: unknown): VaultError {
  return new VaultError("subject-key-tampered", why, cause === undefined ? {} : { cause });
}
