/**
 * Sealed parts and what they are sealed with, computed a second time with node:crypto alone.
 */
import assert from "node:assert/strict";
import { createDecipheriv, createHmac, hkdfSync, randomBytes, randomUUID } from "node:crypto";
import { test } from "node:test";
import type { EntryPerson, SealedPart } from "../../src/audit/entry.ts";
import { KeyedHash } from "../../src/audit/key-derivation.ts";
import { openPart, PartSealing } from "../../src/audit/sealed-part.ts";
import type { EntryId } from "../../src/stores/outbox.ts";

const TERMS = { vault: randomUUID(), version: randomUUID() };
const PART: SealedPart = {
  subject: randomUUID(),
  records: [
    ["C000127 søren", 3],
    ["x", null],
  ],
  ticket: "T-1",
};
const newEntry = (): EntryId => randomUUID() as string as EntryId;

/** Parts with their lengths of 4 bytes, big-endian. */
function lp(...parts: readonly string[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(part));
      return [length, Buffer.from(part)];
    }),
  );
}

test("a part is sealed as it is written down, and opens with node:crypto alone", () => {
  const key = randomBytes(32);
  const entry = newEntry();
  const { key: version, sealed } = new PartSealing(key, TERMS).seal(entry, PART);
  const bytes = Buffer.from(sealed, "base64url");
  const derived = hkdfSync("sha256", key, bytes.subarray(0, 16), lp("strongroom/audit-part-key/1", TERMS.vault), 32);
  const decipher = createDecipheriv("aes-256-gcm", Buffer.from(derived), bytes.subarray(16, 28));
  decipher.setAAD(lp("strongroom/audit-part/1", TERMS.vault, entry, TERMS.version));
  decipher.setAuthTag(bytes.subarray(-16));
  const text = Buffer.concat([decipher.update(bytes.subarray(28, -16)), decipher.final()]).toString();
  assert.equal(text, JSON.stringify(PART));
  assert.equal(version, TERMS.version);
});

test("a part opens under its key, in its entry, of its vault, and nowhere else", () => {
  const key = randomBytes(32);
  const entry = newEntry();
  const person = new PartSealing(key, TERMS).seal(entry, PART);
  assert.deepEqual(openPart(key, TERMS, { entry, person }), PART);
  assert.equal(openPart(randomBytes(32), TERMS, { entry, person }), null);
  assert.equal(openPart(key, TERMS, { entry: newEntry(), person }), null);
  assert.equal(openPart(key, { ...TERMS, vault: randomUUID() }, { entry, person }), null);
  assert.equal(openPart(key, { ...TERMS, version: randomUUID() }, { entry, person }), null);
  const other = randomUUID();
  assert.equal(openPart(key, { ...TERMS, version: other }, { entry, person: { ...person, key: other } }), null);
});

test("every byte counts, and none may be missing", () => {
  const key = randomBytes(32);
  const entry = newEntry();
  const { key: version, sealed } = new PartSealing(key, TERMS).seal(entry, PART);
  const bytes = Buffer.from(sealed, "base64url");
  const opens = (changed: Uint8Array): boolean => {
    const person: EntryPerson = { key: version, sealed: Buffer.from(changed).toString("base64url") };
    return openPart(key, TERMS, { entry, person }) !== null;
  };
  assert.ok(opens(bytes));
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes);
    changed[index]! ^= 1;
    assert.equal(opens(changed), false, `byte ${index}`);
    assert.equal(opens(bytes.subarray(0, index)), false, `the first ${index}`);
  }
});

test("no IV comes twice, whichever key and whichever process' share of random bytes it is", () => {
  const sealings = [new PartSealing(randomBytes(32), TERMS), new PartSealing(randomBytes(32), TERMS)];
  const ivs = new Set<string>();
  for (let n = 0; n < 2_000; n++)
    for (const sealing of sealings)
      ivs.add(Buffer.from(sealing.seal(newEntry(), PART).sealed, "base64url").toString("hex", 16, 28));
  assert.equal(ivs.size, 4_000);
});

test("the hash of entries is HMAC-SHA-256, of every length, and is compared as a whole", () => {
  const key = randomBytes(32);
  const keyed = new KeyedHash(key);
  for (const length of [0, 1, 55, 64, 119, 700, 16 * 1024, 16 * 1024 + 1, 1024 * 1024]) {
    const text = randomBytes(length);
    const mac = createHmac("sha256", key).update(text).digest();
    assert.deepEqual(keyed.of(text), mac, String(length));
    assert.ok(keyed.verifies(text, mac));
    assert.ok(!keyed.verifies(text, mac.subarray(1)));
    assert.ok(!keyed.verifies(text, new Uint8Array()));
    mac[31]! ^= 1;
    assert.ok(!keyed.verifies(text, mac));
  }
  keyed.wipe();
  assert.throws(() => keyed.of(Buffer.from("text")));
});
