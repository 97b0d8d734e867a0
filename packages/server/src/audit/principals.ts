/**
 * What principals are called: told to the audit once in the life of a process, sealed, before the first thing that a
 * token does. All other entries have its id alone.
 */
import type { Vault } from "@strongroom/vault";
import type { TokenIdentity } from "../tokens/token.ts";
import { principalOf } from "./actor.ts";

/** Names are cut to so many characters. */
const LONGEST_LABEL = 200;
/** So many are remembered; a verifier of tokens may know more, and then they are told again. */
const MOST_REMEMBERED = 10_000;

/** Tells of the tokens that this process has seen. */
export class Principals {
  readonly #vault: Pick<Vault, "as">;
  /** Token id -> the entry about it, which may be under way. */
  readonly #told = new Map<string, Promise<void>>();

  constructor(vault: Pick<Vault, "as">) {
    this.#vault = vault;
  }

  /** Resolves when it is in the audit. @throws VaultError `audit-unavailable`; the next call tries again */
  async introduce({ id, name, scopes }: TokenIdentity): Promise<void> {
    const known = this.#told.get(id);
    if (known !== undefined) {
      await known;
      return;
    }
    if (this.#told.size >= MOST_REMEMBERED) this.#told.clear();
    const told = this.#tell(id, name, scopes.join(" "));
    this.#told.set(id, told);
    try {
      await told;
    } catch (error) {
      if (this.#told.get(id) === told) this.#told.delete(id);
      throw error;
    }
  }

  async #tell(id: string, name: string, scopes: string): Promise<void> {
    const label = name.slice(0, LONGEST_LABEL).toWellFormed();
    const facts = { details: { scopes }, ...(label === "" ? {} : { label }) };
    await this.#vault.as({ principal: principalOf(id) }).audit?.tell("principal", "done", facts);
  }
}
