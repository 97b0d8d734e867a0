/**
 * Keys of an audit, without a key store: what is sealed is only marked as sealed.
 */
import { hash } from "node:crypto";
import { SecretBytes } from "@strongroom/envelope/keyrings";
import type { AuditKeys } from "../../../src/audit/audit-keys.ts";
import type { SealedPart } from "../../../src/audit/entry.ts";
import { KeyedHash } from "../../../src/audit/key-derivation.ts";
import { lp } from "../../../src/keys/length-prefixed.ts";
import type { AddressTag } from "../../../src/stores/outbox.ts";

export const TEST_VAULT = "6ab0b3a2-6d0a-4f4e-9a53-3a0d0a4f2a11";

export function testKeys(vault: string = TEST_VAULT, secret = "a secret of the vault"): AuditKeys {
  const key = hash("sha256", lp([secret, vault]), "buffer");
  const keyed = new KeyedHash(key);
  const mac = (text: Uint8Array): Uint8Array => keyed.of(text);
  const versionOf = (owner: string): string =>
    owner === "vault"
      ? owner
      : hash("sha256", owner, "hex").replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-4$3-8$4-$5");
  return {
    vault,
    mac,
    verifies: (text, given) => keyed.verifies(text, given),
    tag: ({ collection, id }) =>
      Buffer.from(mac(lp([collection, id])).subarray(0, 16)).toString("base64url") as AddressTag,
    signingSeed: () => SecretBytes.copyOf(hash("sha256", lp([secret, vault, "sign"]), "buffer")),
    statementSeed: () => SecretBytes.copyOf(hash("sha256", lp([secret, vault, "statements"]), "buffer")),
    certificateSeed: () => SecretBytes.copyOf(hash("sha256", lp([secret, vault, "certificates"]), "buffer")),
    partKeysAtHand: () => null,
    partKeys: async (owners) =>
      owners.map((owner) => ({
        version: versionOf(owner),
        seal: (entry, part) => ({
          key: versionOf(owner),
          sealed: Buffer.from(JSON.stringify({ entry, part, pad: "-".repeat(32) })).toString("base64url"),
        }),
      })),
    versionsOf: async (owner) => [versionOf(owner)],
    openParts: async (parts) =>
      parts.map(({ entry, person }) => {
        const sealed = JSON.parse(Buffer.from(person.sealed, "base64url").toString()) as {
          entry: string;
          part: SealedPart;
        };
        return sealed.entry === entry ? sealed.part : null;
      }),
    close: () => undefined,
  };
}
