/**
 * Makes tags: HMAC-SHA-256 of the forms, under a key that HKDF derives from the root of the index key for one index and
 * one tenant. Two tenants' tags of one value have nothing in common, and no more have those of two indexes.
 */
import { hkdfSync } from "node:crypto";
import { keyedHash } from "@strongroom/envelope/keyrings";
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import { lp } from "../keys/length-prefixed.ts";
import type { Tenant } from "../keys/subject-keys.ts";
import type { JsonObject } from "../records/json.ts";
import { MAX_TAGS } from "../stores/indexes.ts";
import type { IndexRow, Tag } from "../stores/indexes.ts";
import type { KeyVersion } from "../stores/key-store.ts";
import { tagInfo } from "./definitions.ts";
import type { IndexDefinition } from "./definitions.ts";
import { tagForms, tooMany } from "./forms.ts";

/** An index that is there, and how its tags are made. */
export interface OpenIndex {
  readonly row: IndexRow;
  readonly definition: IndexDefinition;
  /** Of the index key. */
  readonly version: KeyVersion;
}

const KEY_LENGTH = 32;
const NO_SALT = new Uint8Array();

/** It holds the roots, and what it has derived from them, until it is disposed of. */
export class Tagger implements Disposable {
  readonly open: readonly OpenIndex[];
  readonly #vault: string;
  readonly #roots: ReadonlyMap<KeyVersion, SecretBytes>;
  readonly #keys = new Map<string, Buffer>();

  /** @param open the indexes that tags are made of */
  constructor(vault: string, open: readonly OpenIndex[], roots: ReadonlyMap<KeyVersion, SecretBytes>) {
    this.open = open;
    this.#vault = vault;
    this.#roots = roots;
  }

  /** 32 bytes. */
  tag({ row: { id }, definition, version }: OpenIndex, tenant: Tenant, forms: readonly string[]): Buffer {
    const name = `${id} ${tenant}`;
    let key = this.#keys.get(name);
    if (key === undefined) this.#keys.set(name, (key = this.#derived(definition, version, tenant)));
    return keyedHash(key, lp(forms));
  }

  /**
   * What a record with this document is found by, under all of them.
   *
   * @throws VaultError `document-unfit`: there are more than a record may have
   */
  tagsOf(document: JsonObject, tenant: Tenant): readonly Tag[] {
    const tags = this.open.flatMap((index) =>
      tagForms(document, index.definition).map((forms) => ({
        index: index.row.id,
        tag: this.tag(index, tenant, forms),
      })),
    );
    if (tags.length > MAX_TAGS) throw tooMany(this.open.at(-1)?.definition.fields[0]?.path ?? "");
    return tags;
  }

  [Symbol.dispose](): void {
    for (const key of this.#keys.values()) key.fill(0);
    this.#keys.clear();
    for (const root of this.#roots.values()) root.wipe();
  }

  #derived(definition: IndexDefinition, version: KeyVersion, tenant: Tenant): Buffer {
    const root = this.#roots.get(version);
    if (root === undefined) throw new TypeError("the root of an index's tags was not opened");
    const info = tagInfo(this.#vault, tenant, definition, version);
    return Buffer.from(hkdfSync("sha256", root.bytes, NO_SALT, info, KEY_LENGTH));
  }
}
