/** A key store in memory: real branch keys, every call counted, and failures on demand. */
import { randomBytes, randomUUID } from "node:crypto";
import { SecretBytes } from "@strongroom/envelope/keyrings";
import type { BranchKey, BranchKeyStore } from "@strongroom/envelope/hierarchical";

export class InMemoryBranchKeys implements BranchKeyStore {
  readonly calls: string[] = [];
  /** Every key handed out: the very memory, so that its wiping can be seen. */
  readonly handedOut: Buffer[] = [];
  /** Thrown by every call while it is set. */
  error: Error | null = null;
  /** Waited for by every call. */
  gate: Promise<void> | null = null;
  readonly #versions = new Map<string, Map<string, Buffer>>();
  readonly #active = new Map<string, string>();

  /** Makes a branch key, or a new version of one. Returns the version. */
  rotate(branchKeyId: string, key: Buffer = randomBytes(32), version: string = randomUUID()): string {
    const versions = this.#versions.get(branchKeyId) ?? new Map<string, Buffer>();
    this.#versions.set(branchKeyId, versions.set(version, key));
    this.#active.set(branchKeyId, version);
    return version;
  }

  erase(branchKeyId: string): void {
    this.#versions.delete(branchKeyId);
    this.#active.delete(branchKeyId);
  }

  /** The key itself, for another implementation to work with. */
  raw(
    branchKeyId: string,
    version = this.#active.get(branchKeyId),
  ): { readonly version: string; readonly key: Buffer } | null {
    const key = version === undefined ? undefined : this.#versions.get(branchKeyId)?.get(version);
    return version === undefined || key === undefined ? null : { version, key };
  }

  async getActiveBranchKey(branchKeyId: string): Promise<BranchKey | null> {
    await this.#begin(`active ${branchKeyId}`);
    return this.#answer(this.raw(branchKeyId));
  }

  async getBranchKeyVersion(branchKeyId: string, version: string): Promise<BranchKey | null> {
    await this.#begin(`version ${branchKeyId}`);
    return this.#answer(this.raw(branchKeyId, version));
  }

  async #begin(call: string): Promise<void> {
    this.calls.push(call);
    await (this.gate ?? Promise.resolve());
    if (this.error !== null) throw this.error;
  }

  #answer(found: { readonly version: string; readonly key: Buffer } | null): BranchKey | null {
    if (found === null) return null;
    const key = SecretBytes.copyOf(found.key);
    this.handedOut.push(key.bytes);
    return { version: found.version, key };
  }
}
