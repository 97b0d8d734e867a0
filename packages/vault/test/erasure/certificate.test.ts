/** Certificates: whoever has the key verifies one, and no bit of it may be another one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isVaultError, verifyCertificate } from "@strongroom/vault";
import type { CertificateFacts, SubjectId } from "@strongroom/vault";
import { CertificateSigner } from "../../src/erasure/certificate.ts";
import { StatementSigner } from "../../src/audit/statements.ts";

const VAULT = "6ab0b3a2-6d0a-4f4e-9a53-3a0d0a4f2a11";
const FACTS: CertificateFacts = {
  erasure: "0d6b2c1e-6f0a-4b7e-9c57-0f3a8a1b2c3d",
  stage: 1,
  person: "0d6b2c1e-6f0a-4b7e-9c57-0f3a8a1b2c3e" as string as SubjectId,
  nameCommitment: null,
  reason: "art-17",
  begunAt: "2026-01-01T00:00:00.000Z",
  doneAt: "2026-01-01T00:00:01.000Z",
  quietAt: "2026-01-01T00:10:00.000Z",
  records: 1,
  keys: 1,
  scopes: ["subject"],
  generation: { number: 1, isShared: false },
  wrappingKeys: [{ key: "arn:1", generation: 1, state: "in-use", goneAt: null }],
  holdsFrom: null,
  stores: { records: "sqlite", keys: "sqlite" },
  backups: "apart",
  remains: [{ what: "kms-logs", diesWith: "never", of: [] }],
};

const signerOf = (byte: number, vault = VAULT): CertificateSigner =>
  new CertificateSigner(vault, Buffer.alloc(32, byte));

test("a certificate says what was signed, and each bit of it counts", () => {
  const signer = signerOf(1);
  const text = signer.sign(FACTS);
  assert.deepEqual(verifyCertificate(text, signer.key), { vault: VAULT, facts: FACTS });
  const bytes = Buffer.from(text, "utf8");
  let refused = 0;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const other = Buffer.from(bytes);
    other[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(
      () => verifyCertificate(other.toString("utf8"), signer.key),
      (error: unknown) => isVaultError(error) && error.code === "certificate-invalid",
      `bit ${bit} of ${JSON.stringify(text.slice((bit >> 3) - 5, (bit >> 3) + 5))}`,
    );
    refused++;
  }
  assert.equal(refused, bytes.length * 8);
});

test("what is added, cut, signed by another key or for another vault is refused", () => {
  const signer = signerOf(1);
  const text = signer.sign(FACTS);
  const other = signerOf(2);
  const statement = new StatementSigner(VAULT, Buffer.alloc(32, 1));
  const refused: readonly (readonly [string, string])[] = [
    [`${text}${other.sign(FACTS).split("\n").at(-2) ?? ""}\n`, signer.key],
    [`${text}\n`, signer.key],
    [text.slice(0, -1), signer.key],
    [text.replace("\n", "\r\n"), signer.key],
    [text, other.key],
    [other.sign(FACTS), signer.key],
    [signerOf(1, "7ab0b3a2-6d0a-4f4e-9a53-3a0d0a4f2a11").sign(FACTS), signer.key],
    [statement.sign({ kind: "erasure", facts: {} }).note, statement.key],
    ["", signer.key],
    [text, "no key"],
  ];
  for (const [given, key] of refused)
    assert.throws(
      () => verifyCertificate(given, key),
      (error: unknown) => isVaultError(error) && error.code === "certificate-invalid",
      given.slice(0, 40),
    );
});
