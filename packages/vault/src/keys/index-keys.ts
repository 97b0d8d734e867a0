/**
 * The versions of the index key, from which the keys of all tags are derived. It seals nothing: without it nobody makes
 * a tag, and with it whoever has the database tries values against tags. Each version lies under the regions.
 */
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import type { KeyName, KeyVersion } from "../stores/key-store.ts";
import { soundRow, VAULT_OWNER } from "./key-binding.ts";
import type { IndexKeys } from "./subject-keys.ts";
import type { VaultKeys } from "./vault-keys.ts";

const NAME: KeyName & { readonly kind: "index" } = { kind: "index", owner: VAULT_OWNER };

export class StoredIndexKeys implements IndexKeys {
  readonly #keys: VaultKeys;

  constructor(keys: VaultKeys) {
    this.#keys = keys;
  }

  async versions(): Promise<readonly KeyVersion[]> {
    const { store, keySets } = this.#keys.dependencies;
    await keySets.requireReader();
    const found = (await store.keys.versions(NAME)).map((read) => soundRow(read, { ...NAME, kinds: [NAME.kind] }));
    return found.flatMap((row) => row?.version ?? []);
  }

  async root(version: KeyVersion, signal: AbortSignal | undefined): Promise<SecretBytes> {
    return (await this.#keys.version(NAME, version, signal)).key;
  }

  async first(hadOne: () => Promise<boolean>): Promise<void> {
    (await this.#keys.indexKey(hadOne)).key.wipe();
  }

  async next(signal: AbortSignal | undefined): Promise<KeyVersion> {
    const { key, version } = await this.#keys.nextIndexKey(signal);
    key.wipe();
    return version as KeyVersion;
  }
}
