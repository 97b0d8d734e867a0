/**
 * The one key that is in force of a name, found in the key store, or made there where there never was one: a key that
 * is missing among others was lost, and another one in its place would make all of them worthless.
 */
import { VaultError } from "../errors.ts";
import type { KeyKind, KeyName, KeyRow } from "../stores/key-store.ts";
import { createdOrLost, hasOthers } from "./creations.ts";
import { VAULT_OWNER } from "./key-binding.ts";
import type { OpenedKey } from "./opened-key.ts";
import type { FreshKey, KeyDependencies, RegionWraps } from "./region-wraps.ts";

/** Keys that the vault has of its own, and by which people are found and named. */
export type VaultKeyKind = "lookup" | "names";

const VAULT_KEYS: readonly (KeyName & { readonly kind: VaultKeyKind })[] = [
  { kind: "lookup", owner: VAULT_OWNER },
  { kind: "names", owner: VAULT_OWNER },
];

/** Tries of a key that another process makes, or whose key set changes, at the same time. */
export const MAKE_ATTEMPTS = 8;

/** What keys are found and made with. */
export interface KeyMakerParts {
  readonly dependencies: KeyDependencies;
  readonly regions: Pick<RegionWraps, "make">;
  /** Rows of active keys, in the order of the names. */
  readonly rows: (names: readonly KeyName[]) => Promise<readonly (KeyRow | VaultError | null)[]>;
  readonly open: (row: KeyRow) => Promise<OpenedKey>;
  /** A key that was made is in the store. */
  readonly made: (fresh: FreshKey) => OpenedKey;
  /** @throws VaultError `aborted` of a vault that was closed */
  readonly requireOpen: () => void;
}

/** Which version of a key is meant, and what is asked before one is made. */
export interface WantedKey {
  /** Whether there was one before: it is lost then. */
  readonly hadOne?: () => Promise<boolean>;
  /** A version of another shredding generation is followed by a new one. */
  readonly generation?: number;
}

export class KeyMaker {
  readonly #parts: KeyMakerParts;

  constructor(parts: KeyMakerParts) {
    this.#parts = parts;
  }

  /** A key of a tenant, or by which people are found, of a generation; undefined: of whichever it is. */
  async ofGeneration(name: KeyName, generation: number | undefined): Promise<OpenedKey> {
    const wanted = generation === undefined ? {} : { generation };
    if (name.kind !== "lookup") return this.onlyOrMade(name, wanted);
    const found = await this.ownOrMade("lookup");
    if (generation === undefined || found.generation === generation) return found;
    found.key.wipe();
    return this.onlyOrMade(name, wanted);
  }

  /** A key of the vault itself; all are made when the key store is new. @throws VaultError `key-store-behind` */
  async ownOrMade(kind: VaultKeyKind): Promise<OpenedKey> {
    const { dependencies, rows: read, open } = this.#parts;
    let isInUse = false;
    for (let attempt = 1; attempt <= MAKE_ATTEMPTS; attempt++) {
      const rows = await read(VAULT_KEYS);
      const row = rows[VAULT_KEYS.findIndex((name) => name.kind === kind)] ?? null;
      if (row instanceof VaultError) throw row;
      const missing = VAULT_KEYS.filter((_, index) => rows[index] === null);
      if (row !== null && (missing.length === 0 || isInUse)) return await open(row);
      // They are made before all others: where there were some before it was looked for, a missing one was lost.
      if (row === null && isInUse) throw lostKey();
      isInUse = await hasOthers(dependencies.store.keys, VAULT_KEYS);
      // Opened then, not taken as made: a keyring that wraps and opens nothing is found out before there are people.
      if (!isInUse) await this.#create(missing, null);
    }
    throw keySetMoved();
  }

  /** The active version of a key. @throws VaultError `key-store-behind`, and as making and opening do */
  async onlyOrMade(name: KeyName, { hadOne, generation }: WantedKey): Promise<OpenedKey> {
    const { dependencies, rows, open, requireOpen } = this.#parts;
    let isLost = false;
    for (let attempt = 1; attempt <= MAKE_ATTEMPTS; attempt++) {
      requireOpen();
      const [row = null] = await rows([name]);
      if (row instanceof VaultError) throw row;
      const isStale = row !== null && generation !== undefined && row.generation !== generation;
      if (row !== null && !isStale) return await open(row);
      if (isStale && (await dependencies.keySets.forWriting()).generation !== generation) return await open(row);
      if (isLost) throw lostKey();
      isLost = (await hadOne?.()) === true;
      const made = isLost ? null : await this.#create([name], name.kind, (row?.ordinal ?? 0) + 1);
      if (made !== null) return made;
    }
    throw keySetMoved();
  }

  /** A version behind the active one, or the one that somebody else has made meanwhile. @throws as making does */
  async next(name: KeyName, signal: AbortSignal | undefined): Promise<OpenedKey> {
    const { rows, open, requireOpen } = this.#parts;
    let before: number | null = null;
    for (let attempt = 1; attempt <= MAKE_ATTEMPTS; attempt++) {
      requireOpen();
      const [row = null] = await rows([name]);
      if (row instanceof VaultError) throw row;
      const ordinal = row?.ordinal ?? 0;
      before ??= ordinal;
      if (row !== null && ordinal > before) return await open(row);
      const made = await this.#create([name], name.kind, ordinal + 1, signal);
      if (made !== null) return made;
    }
    throw keySetMoved();
  }

  /**
   * Makes keys, and gives that of the `wanted` kind back, so that it need not be opened. Null: it is to be looked
   * for, as none was wanted, or somebody was faster.
   */
  async #create(
    names: readonly KeyName[],
    wanted: KeyKind | null,
    ordinal = 1,
    signal?: AbortSignal,
  ): Promise<OpenedKey | null> {
    const { dependencies, regions, made: noteMade, requireOpen } = this.#parts;
    const { store, keySets } = dependencies;
    const made: FreshKey[] = [];
    try {
      for (const name of names) made.push(await regions.make(name, ordinal, signal));
      requireOpen();
      const creations = made.map(({ epoch, row }) => ({ epoch, name: null, key: row }));
      const results = await createdOrLost(store.keys, creations);
      requireOpen();
      let found: OpenedKey | null = null;
      for (const [index, fresh] of made.entries()) {
        const result = results[index];
        if (result?.kind === "gate-moved") keySets.moved();
        if (result?.kind !== "made") continue;
        const opened = noteMade(fresh);
        if (opened.kind === wanted) found = opened;
      }
      return found === null ? null : { ...found, key: found.key.share() };
    } finally {
      for (const { key } of made) key.wipe();
    }
  }
}

export function lostKey(): VaultError {
  return new VaultError("key-store-behind", "The key store is in use, and lacks keys that were made before all others");
}

export function keySetMoved(): VaultError {
  return new VaultError("key-set-moved", "The key set of the key store changed again and again");
}
