/**
 * What a cache of opened keys would spare of one traffic: the same bounds as the cache's own, over hashed ids and no
 * keys.
 */
import { hash } from "node:crypto";

/** Those of the cache of opened keys. */
export type CacheBounds = Readonly<Record<"maxAgeMs" | "maxUses" | "capacity", number>>;

/** One use of somebody's key. */
export interface ShadowUse {
  readonly owner: string;
  readonly tenant: string;
  /** The key was made for it. */
  readonly isNew: boolean;
  /** For something else than a message: not one of its uses. */
  readonly isUncounted: boolean;
  /** By a clock that nobody sets, in milliseconds. */
  readonly now: number;
}

/** 96 bits: two of ten thousand ids are not taken for one. */
export function hashedId(id: string): string {
  return hash("sha256", id, "base64url").slice(0, 16);
}

/** The newest of so many entries. */
export class BoundedMap extends Map<string, string> {
  readonly #capacity: number;

  constructor(capacity: number) {
    super();
    this.#capacity = capacity;
  }

  override set(id: string, value: string): this {
    this.delete(id);
    super.set(id, value);
    const [oldest] = this.keys();
    if (this.size > this.#capacity && oldest !== undefined) this.delete(oldest);
    return this;
  }
}

/** The calls that one traffic would make for people's keys, or for the keys of tenants above them. */
export class Shadow {
  newOwners = 0;
  openedOwners = 0;
  newTenants = 0;
  openedTenants = 0;
  readonly #owners: ShadowCache;
  readonly #tenants: ShadowCache;
  readonly #knownTenants: ShadowCache;

  constructor(cache: CacheBounds) {
    this.#owners = new ShadowCache(cache);
    // A tenant's key wraps people's, and seals no messages: nothing bounds its uses.
    this.#tenants = new ShadowCache({ ...cache, maxUses: Number.MAX_SAFE_INTEGER });
    this.#knownTenants = new ShadowCache({ ...FOR_EVER, capacity: cache.capacity });
  }

  use({ owner, tenant, isNew, isUncounted, now }: ShadowUse): void {
    const uses = isUncounted ? 0 : 1;
    if (!isNew && this.#owners.use(owner, now, uses)) return;
    this.#owners.keep(owner, now, uses);
    if (isNew) this.newOwners++;
    else this.openedOwners++;
    // Only who has not the person's key needs the tenant's.
    const isHeld = this.#tenants.use(tenant, now);
    if (!isHeld) this.#tenants.keep(tenant, now);
    if (this.#knownTenants.use(tenant, now)) this.openedTenants += isHeld ? 0 : 1;
    else {
      this.#knownTenants.keep(tenant, now);
      this.newTenants++;
    }
  }
}

const FOR_EVER = { maxAgeMs: Number.POSITIVE_INFINITY, maxUses: Number.MAX_SAFE_INTEGER } as const;

/** Ids in the order of use, least recent first, and how long and how often each would still be used. */
class ShadowCache {
  readonly #bounds: CacheBounds;
  readonly #entries = new Map<string, { readonly expiresAt: number; usesLeft: number }>();

  constructor(bounds: CacheBounds) {
    this.#bounds = bounds;
  }

  /** Uses what is held; false: it is not. */
  use(id: string, now: number, uses = 1): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.expiresAt <= now || entry.usesLeft < 1) return false;
    entry.usesLeft -= uses;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return true;
  }

  /** Holds what was just opened or made, and used as often. */
  keep(id: string, now: number, uses = 1): void {
    const { maxAgeMs, maxUses, capacity } = this.#bounds;
    this.#entries.delete(id);
    this.#entries.set(id, { expiresAt: now + maxAgeMs, usesLeft: maxUses - uses });
    if (this.#entries.size <= capacity) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}
