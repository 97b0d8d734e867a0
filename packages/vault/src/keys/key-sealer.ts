/**
 * One sealer: the handles on keys that seal a version, and what its row and its unit have of people.
 */
import type { Keyring } from "@strongroom/envelope";
import { branchKeySealing } from "@strongroom/envelope/hierarchical";
import type { Collection, RecordId, Subject } from "../records/address.ts";
import type { SubjectId, UnitSubject } from "../stores/subjects.ts";
import type { WrapSet } from "../stores/wrap-set.ts";
import { branchKeyId } from "./key-binding.ts";
import { ownerOfKey, sealText } from "./sealed-text.ts";
import type { TextPlace } from "./sealed-text.ts";
import type { Sealer, Tenant } from "./subject-keys.ts";
import type { OpenedKey } from "./opened-key.ts";

/** What a sealer is made of. */
export interface SealerParts extends Pick<Sealer, "name" | "tenant" | "isNew" | "about" | "subjects"> {
  readonly vault: string;
  readonly subject: string;
  /** Seals the message; null in `record` scope. */
  readonly sealing: OpenedKey | null;
  /** Seals the record's id; the same one, or the vault's names key. */
  readonly text: OpenedKey;
}

/** It holds the handles that it was made with, until it is disposed of. */
export class KeySealer implements Sealer {
  readonly keyring: Keyring | null;
  readonly wrapSet: WrapSet | null;
  readonly isNew: boolean;
  readonly tenant: Tenant;
  readonly name: Subject | null;
  readonly subject: Subject;
  readonly about: readonly SubjectId[];
  readonly subjects: readonly UnitSubject[];
  readonly #vault: string;
  readonly #text: OpenedKey;

  constructor({ vault, subject, sealing, text, ...told }: SealerParts) {
    const { name, tenant, isNew, about, subjects } = told;
    this.subject = subject as Subject;
    this.name = name;
    this.tenant = tenant;
    this.isNew = isNew;
    this.about = about;
    this.subjects = subjects;
    this.keyring = sealing === null ? null : branchKeySealing(branchKeyId(sealing), sealing);
    this.wrapSet = sealing?.wrapSet ?? null;
    this.#vault = vault;
    this.#text = text;
  }

  sealId(collection: Collection, rowId: RecordId, id: RecordId): Uint8Array {
    return sealText(id, ownerOfKey(this.#text), this.#text, idPlace(this.#vault, collection, rowId));
  }

  [Symbol.dispose](): void {
    this.#text.key.wipe();
  }
}

/** Where a sealed id lies. */
export function idPlace(vault: string, collection: Collection, rowId: RecordId): TextPlace {
  return { label: "strongroom/sealed-id/1", vault, place: [collection, rowId] };
}
