/**
 * By which people are found: the lookup key of the shredding generation in force, and those before it that names lie
 * under still, while a shred gives them other hashes. A living lookup key and an old backup of the key store would tell
 * who was erased, to whoever guesses names: so each generation has one of its own.
 */
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import type { Epoch } from "../stores/gate.ts";
import { soundRow, VAULT_OWNER } from "./key-binding.ts";
import type { VaultKeys } from "./vault-keys.ts";

const NAME = { kind: "lookup", owner: VAULT_OWNER } as const;

/** Lookup keys at hand, for one use: wiped where `using` ends. */
export interface LookupKeys extends Disposable {
  /** What is made gets hashes under this one, and is stored at `epoch` only; null: nothing may be made here. */
  readonly now: SecretBytes;
  readonly epoch: Epoch | null;
  readonly earlier: readonly SecretBytes[];
}

/** How long it is believed which lookup keys of before there are, in milliseconds. */
const EARLIER_AGE_MS = 5_000;

/** The lookup keys of a vault. */
export class LookupKeyring {
  readonly #keys: VaultKeys;
  /** Versions before the active one; once there are none there never are. */
  #earlier: { readonly of: string; readonly versions: readonly string[]; readonly at: number } | null = null;

  constructor(keys: VaultKeys) {
    this.#keys = keys;
  }

  /** @throws VaultError as opening and making a key of the vault does */
  async open(signal: AbortSignal | undefined): Promise<LookupKeys> {
    const active = await this.#keys.ofGeneration(NAME, signal);
    const opened: SecretBytes[] = [];
    const wipe = (): void => {
      for (const key of [active.key, ...opened]) key.wipe();
    };
    try {
      const versions = active.ordinal === 1 ? [] : await this.#versionsBefore(active.version);
      for (const version of versions) opened.push((await this.#keys.version(NAME, version, signal)).key);
    } catch (error) {
      wipe();
      throw error;
    }
    return { now: active.key, epoch: active.epoch, earlier: opened, [Symbol.dispose]: wipe };
  }

  async #versionsBefore(version: string): Promise<readonly string[]> {
    const known = this.#earlier;
    const isFresh = known !== null && performance.now() - known.at < EARLIER_AGE_MS;
    if (known?.of === version && (isFresh || known.versions.length === 0)) return known.versions;
    const { store } = this.#keys.dependencies;
    const at = performance.now();
    const versions = (await store.keys.versions(NAME)).flatMap((read) => {
      const row = soundRow(read, { owner: NAME.owner, kinds: [NAME.kind] });
      return row === null || row.version === version ? [] : [row.version];
    });
    this.#earlier = { of: version, versions, at };
    return versions;
  }
}
