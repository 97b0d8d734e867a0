/**
 * One writer that keeps account of what was acknowledged, and what each write was told while the store was in trouble.
 */
import assert from "node:assert/strict";
import { isVaultError, type Vault } from "@strongroom/vault";

const COLLECTION = "people";

export class Ledger {
  readonly #vault: Vault;
  readonly #written = new Map<string, number>();
  #number = 0;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  get acknowledged(): number {
    return this.#written.size;
  }

  /** A record more; what the write was told. */
  async write(bytes = 8_000): Promise<string> {
    const number = this.#number++;
    const id = `p${number}`;
    try {
      const { version } = await this.#vault.put({ collection: COLLECTION, id }, { number, text: "x".repeat(bytes) });
      this.#written.set(id, version);
      return "made";
    } catch (error) {
      if (!isVaultError(error)) throw error;
      return error.code;
    }
  }

  /** Writes until a write is told what fits, at most so many; what they were told, each once. */
  async until(expected: RegExp, most: number): Promise<readonly string[]> {
    const told = new Set<string>();
    for (let n = 0; n < most; n++) {
      const result = await this.write();
      told.add(result);
      if (expected.test(result)) break;
    }
    return [...told];
  }

  /** Everything acknowledged is there as it was written. */
  async check(vault: Vault = this.#vault): Promise<void> {
    for (const [id, version] of this.#written) {
      const found = await vault.get({ collection: COLLECTION, id });
      assert.equal(found.version, version, id);
      assert.equal(found.document["number"], Number(id.slice(1)), id);
    }
  }
}
