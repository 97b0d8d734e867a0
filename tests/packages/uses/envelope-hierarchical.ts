import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { decrypt, encrypt } from "@strongroom/envelope";
import { type BranchKeyStore, type HierarchicalKeyring, hierarchicalKeyring } from "@strongroom/envelope/hierarchical";
import { SecretBytes } from "@strongroom/envelope/keyrings";

export async function use(): Promise<void> {
  const version = randomUUID();
  const material = randomBytes(32);
  const branchKey = () => Promise.resolve({ version, key: SecretBytes.copyOf(material) });
  const keyStore: BranchKeyStore = { getActiveBranchKey: branchKey, getBranchKeyVersion: branchKey };
  const keyring: HierarchicalKeyring = hierarchicalKeyring({ keyStore, branchKeyId: "person-42", maxAgeMs: 1000 });
  const { message } = await encrypt(Buffer.from("branch"), { keyring, encryptionContext: {} });
  const { plaintext } = await decrypt(message, { keyring, encryptionContext: {} });
  assert.equal(Buffer.from(plaintext).toString(), "branch");
  keyring.size satisfies number;
  keyring[Symbol.dispose]();
}

/** What the compiler is to refuse. */
export function misuse(keyStore: BranchKeyStore): void {
  // @ts-expect-error a forgotten age
  hierarchicalKeyring({ keyStore, branchKeyId: "person-42" });
  // @ts-expect-error what is no key store
  hierarchicalKeyring({ keyStore: {}, branchKeyId: "person-42", maxAgeMs: 1000 });
}
