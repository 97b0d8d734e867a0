/**
 * What is declared of a collection: which keys its records hang on, whom they are about, and whether their ids may be
 * read by whoever reads the database.
 */
import type { Collection, Subject } from "../records/address.ts";
import type { Tenant } from "../keys/subject-keys.ts";
import type { Scope } from "../stores/subjects.ts";

/** A collection, as the options of a vault declare it. */
export interface CollectionOptions {
  /** Left out: the vault's. */
  readonly scope?: Scope;
  /**
   * Whom a record is about when its writer does not say: whoever a field of the document names, whoever has the record's
   * id for a name, or `none`: nobody, and then the collection has one key. Left out: `COLLECTION/ID`, somebody who is in
   * no other record.
   */
  readonly subject?: "id" | "none" | { readonly field: string };
  /**
   * `public`, when left out: the database, its backups and the KMS's log have the ids in clear. `sealed`: they have a
   * keyed hash of each; the list of the collection is in no order then.
   */
  readonly ids?: "public" | "sealed";
  /** Of `tenant` scope: whose key wraps the people's keys. Left out: `default`. */
  readonly tenant?: string | { readonly field: string };
}

/** A declaration with everything in it. */
export interface Declaration {
  readonly collection: Collection;
  readonly scope: Scope;
  readonly subject: "record" | "id" | "none" | { readonly field: string };
  readonly ids: "public" | "sealed";
  readonly tenant: Tenant | { readonly field: string };
}

/** Name of somebody who is in one record only. */
export const nameOfRecord = (collection: string, id: string): Subject => `${collection}/${id}` as Subject;
