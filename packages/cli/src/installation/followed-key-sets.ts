// The key sets of a service while it runs: which of them each store has in force, followed by its gate, and sets that
// come while it runs, so that a rotation needs no restart.
import { type KeySetInput, keySetsOf, type KeyStore, type Store, type Vault } from "@strongroom/vault";
import type { Logger } from "pino";
import type { KeyedRole } from "../store/which.ts";
import { auditedKeySets, type Gates } from "./audited-key-sets.ts";
import {
  type InstalledKeySet,
  type InstalledKeySets,
  keySetNames,
  type KeySetWatch,
  type KnownKeySets,
  watchKeySets,
} from "./key-sets.ts";

/** The sets that come next; a store whose set stays is left out. */
export type NextKeySets = Readonly<Partial<Record<KeyedRole, InstalledKeySet>>>;

/** What they are followed in. */
export interface FollowedStores {
  readonly records: Pick<Store, "gate">;
  readonly keys: Pick<KeyStore, "gate">;
}

const ROLES: readonly KeyedRole[] = ["records", "keys"];

export class FollowedKeySets {
  readonly #stores: FollowedStores;
  readonly #logger: Logger;
  #sets: InstalledKeySets;
  #watches: Partial<Record<KeyedRole, KeySetWatch>> = {};

  constructor(stores: FollowedStores, sets: InstalledKeySets, logger: Logger) {
    this.#stores = stores;
    this.#sets = sets;
    this.#logger = logger;
  }

  /** The set that writes go under; the configured one while that is not known. */
  inForce(role: KeyedRole): InstalledKeySet {
    return this.#watches[role]?.inForce() ?? this.#known(role).current;
  }

  /**
   * What puts the present sets in force, told in the audit. A set that comes next is known by it: a rotation that was
   * interrupted has put it in force, and goes on.
   */
  presentGates(audit: Vault["audit"]): Gates {
    const { records, keys } = this.#sets;
    const known = this.#gates(audit, this.#sets);
    const present = this.#gates(audit, {
      records: withoutNext(records),
      keys: keys === null ? null : withoutNext(keys),
    });
    const gate = (role: KeyedRole): Gates[KeyedRole] => ({
      status: () => known[role].status(),
      flip: () => present[role].flip(),
    });
    return { records: gate("records"), keys: gate("keys") };
  }

  /** Follows which set is in force. */
  follow(audit: Vault["audit"]): void {
    this.close();
    const gates = this.#gates(audit, this.#sets);
    for (const role of ROLES)
      this.#watches[role] = watchKeySets(gates[role], this.#known(role), this.#logger.child({ store: role }));
  }

  /** Takes in sets that come next. What is in force by then is the present one. */
  async learn(vault: Pick<Vault, "learnKeySets" | "audit">, next: NextKeySets): Promise<void> {
    const inputOf = ({ keyring, keys }: InstalledKeySet): KeySetInput => ({ keyring, keySet: keys });
    await vault.learnKeySets({
      ...(next.records === undefined ? {} : { records: inputOf(next.records) }),
      ...(next.keys === undefined ? {} : { keys: { ...inputOf(next.keys), generation: next.keys.generation } }),
    });
    const known = (role: KeyedRole): KnownKeySets => ({ current: this.inForce(role), next: next[role] ?? null });
    this.#sets = { records: known("records"), keys: this.#sets.keys === null ? null : known("keys") };
    this.follow(vault.audit);
  }

  close(): void {
    for (const watch of Object.values(this.#watches)) watch.close();
    this.#watches = {};
  }

  #known(role: KeyedRole): KnownKeySets {
    return (role === "keys" ? this.#sets.keys : null) ?? this.#sets.records;
  }

  #gates(audit: Vault["audit"], sets: InstalledKeySets): Gates {
    const gate = (role: KeyedRole): Gates[KeyedRole] =>
      auditedKeySets(audit, role, keySetsOf(this.#stores[role].gate, keySetNames(sets, role)));
    return { records: gate("records"), keys: gate("keys") };
  }
}

const withoutNext = ({ current }: KnownKeySets): KnownKeySets => ({ current, next: null });
