/**
 * Whom an erasure or a hold is about, and the codes by which it is said why.
 */
import { parseTenant } from "../collections/declaration.ts";
import { VaultError } from "../errors.ts";
import { DEFAULT_TENANT } from "../keys/key-binding.ts";
import type { SubjectKeys, Tenant } from "../keys/subject-keys.ts";
import type { Dependencies } from "../limits.ts";
import type { Subject } from "../records/address.ts";
import { whoIs } from "../records/people.ts";
import { parseName } from "../records/whom.ts";
import type { KeyStore } from "../stores/key-store.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { SubjectId, SubjectRow } from "../stores/subjects.ts";

/** Whose person, and what it is done for in another system. */
export interface WhoseOptions {
  /** Left out: `default`. */
  readonly tenant?: string;
  /** 1 to 64 characters of `A-Za-z0-9._#/-`. It lies sealed in the audit. Left out: the caller's own. */
  readonly ticket?: string;
}

/** Somebody, as they are known. */
export interface FoundPerson {
  readonly id: SubjectId;
  readonly row: SubjectRow | null;
  /** Null: it is not known any more. */
  readonly named: { readonly name: Subject; readonly tenant: Tenant } | null;
}

const REASON = /^[a-z0-9.-]{1,64}$/;

/** @throws VaultError `reason-invalid` */
export function requireReason(reason: unknown): asserts reason is string {
  if (typeof reason === "string" && REASON.test(reason)) return;
  throw new VaultError("reason-invalid", "A reason is a code of 1 to 64 characters of a-z, 0-9, '.' and '-'");
}

/** By name, parsed. @throws VaultError `subject-invalid`, `tenant-invalid` */
export function namedOf(name: string, tenant: string | undefined): NonNullable<FoundPerson["named"]> {
  return { name: parseName(name), tenant: tenant === undefined ? DEFAULT_TENANT : parseTenant(tenant) };
}

/**
 * Who that is; null: nobody.
 *
 * @throws VaultError `subject-invalid`, `tenant-invalid`; what is wrong with the keys
 */
export async function personOf(
  { store }: Pick<Dependencies, "store">,
  { keyStore, subjectKeys }: { readonly keyStore: KeyStore; readonly subjectKeys: SubjectKeys },
  who: string | { readonly person: SubjectId },
  tenant: string | undefined,
): Promise<FoundPerson | null> {
  if (typeof who === "string") {
    const named = namedOf(who, tenant);
    const found = await whoIs({ store }, subjectKeys, named, undefined);
    return found === null ? null : { ...found, named };
  }
  const { person: id } = who;
  if (!isSubjectId(id)) throw new VaultError("subject-invalid", "A person's opaque id is a UUID in lower case");
  const [[row = null], [name = null]] = await Promise.all([store.subjects.get([id]), keyStore.keys.names([id])]);
  return row === null && name === null ? null : { id, row, named: null };
}
