/**
 * What stored keys and sealed texts are bound to, byte for byte: computed here a second time with nothing but
 * node:crypto.
 */
import assert from "node:assert/strict";
import { createDecipheriv, createHmac, randomBytes, randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { randomSecret, SecretBytes } from "@strongroom/envelope/keyrings";
import type { KeyVersion } from "@strongroom/vault";
import { branchKeyId, isKeyOf, keyCheck, keyContext, ownerOf, soundRow } from "../../src/keys/key-binding.ts";
import { lp } from "../../src/keys/length-prefixed.ts";
import { openText, sealText, textHeader } from "../../src/keys/sealed-text.ts";
import { namedTenantKey, tenantUnwrap, tenantWrap } from "../../src/keys/tenant-wrap.ts";
import { throwsWith } from "../support/errors.ts";
import { VAULT } from "../support/subject-keys.ts";

const VERSION = "3f2504e0-4f89-41d3-9a0c-0305e82c3301" as string as KeyVersion;
const ADA = "6fa459ea-ee8a-4ca4-894e-db77e160355e";
const BOB = "7d444840-9dc0-41d1-b245-5ffdce74fad2";

/** The same as `lp`, in one line. */
const joined = (...parts: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat(
    parts.flatMap((part) => [Buffer.from([0, 0, 0, Buffer.byteLength(part)]), Buffer.from(part as string)]),
  );

/** SP 800-108 in counter mode for 32 bytes. */
const derived = (key: Buffer, label: string, salt: Buffer): Buffer =>
  createHmac("sha256", key)
    .update(Buffer.concat([Buffer.from([0, 0, 0, 1]), Buffer.from(`${label}\0`), salt, Buffer.from([0, 0, 1, 0])]))
    .digest();

function gcmOpened(key: Buffer, iv: Buffer, aad: Buffer, sealed: Buffer): Buffer {
  const cipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: 16 }).setAAD(aad);
  cipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
}

describe("length-prefixed parts", () => {
  test("have 4 bytes of length before each", () => {
    assert.equal(lp(["ab", 12, Buffer.from([255])]).toString("hex"), "000000026162000000023132" + "00000001ff");
    assert.equal(lp(["Ä"]).toString("hex"), "00000002c384");
    assert.notDeepEqual(lp(["ab", "c"]), lp(["a", "bc"]));
    assert.notDeepEqual(lp(["a", ""]), lp(["a"]));
  });

  test("are text, bytes or whole numbers, and nothing that was forgotten", () => {
    for (const part of [undefined, null, Promise.resolve("x"), 1.5, -1, Number.NaN, "\ud800", {}, [1]])
      throwsWith("vault-option-invalid", () => lp(["x", part as string]));
  });
});

describe("the check of a key", () => {
  const key = Buffer.alloc(32, 5);
  const row = {
    kind: "subject" as const,
    owner: ADA,
    version: VERSION,
    ordinal: 3,
    generation: 1,
    createdAt: "2026-11-27T20:00:00.000Z",
  };

  test("is an HMAC under the key itself over every column that says what it is", () => {
    const text = joined("strongroom/key-check/1", VAULT, "subject", ADA, VERSION, "3", "1", "2026-11-27T20:00:00.000Z");
    const expected = createHmac("sha256", key).update(text).digest();
    assert.deepEqual(keyCheck(key, VAULT, row), expected);
    assert.ok(isKeyOf(key, VAULT, { ...row, check: expected }));
  });

  test("is another one for every other column, vault and key", () => {
    const check = keyCheck(key, VAULT, row);
    for (const [column, value] of Object.entries({
      kind: "tenant-subject",
      owner: BOB,
      version: randomUUID(),
      ordinal: 4,
      generation: 0,
      createdAt: "2026-11-27T20:00:00.001Z",
    }))
      assert.equal(isKeyOf(key, VAULT, { ...row, check, [column]: value }), false, column);
    assert.equal(isKeyOf(key, randomUUID(), { ...row, check }), false);
    assert.equal(isKeyOf(randomBytes(32), VAULT, { ...row, check }), false);
    assert.equal(isKeyOf(key, VAULT, { ...row, check: check.subarray(0, 31) }), false);
    assert.equal(isKeyOf(key, VAULT, { ...row, check: Buffer.alloc(0) }), false);
  });

  test("of a row that answers something else is not asked for", () => {
    const wraps = [{ provider: "p", info: Buffer.from("i"), ciphertext: Buffer.from("c") }];
    const stamp = { wrapSet: 1 as never, revision: 0 };
    const found = { ...row, check: keyCheck(key, VAULT, row), wraps, stamp, wrapSet: null };
    const asked = { owner: ADA, kinds: ["subject" as const], version: VERSION };
    assert.equal(soundRow({ key: found }, asked), found);
    assert.equal(soundRow({ key: null }, asked), null);
    for (const other of [{ owner: BOB }, { kinds: ["tenant-subject" as const] }, { version: randomUUID() }])
      throwsWith("subject-key-tampered", () => soundRow({ key: found }, { ...asked, ...other }));
    throwsWith("subject-key-tampered", () => soundRow({ key: null, damage: "ordinal" }, asked));
    throwsWith("subject-key-tampered", () => soundRow({ key: found, damage: "ordinal" }, asked));
  });
});

test("the context of a wrap is that of a branch key's version", () => {
  const place = { kind: "subject" as const, owner: ADA, version: VERSION };
  assert.deepEqual(keyContext(VAULT, place, "2026-11-27T20:00:00.000Z"), {
    "branch-key-id": ADA,
    type: `branch:version:${VERSION}`,
    "create-time": "2026-11-27T20:00:00.000Z",
    tablename: `strongroom/${VAULT}`,
    "hierarchy-version": "1",
  });
});

test("a key's name says whose it is, and nothing else is one", () => {
  assert.equal(branchKeyId({ kind: "collection", owner: "codes" }), "collection:codes");
  assert.deepEqual(ownerOf(ADA), { owner: ADA, kinds: ["subject", "tenant-subject"] });
  assert.deepEqual(ownerOf("collection:codes"), { owner: "codes", kinds: ["collection"] });
  for (const text of [
    "",
    "codes",
    "collection:",
    "collection:Codes",
    "subject:x",
    "lookup:me",
    "a:b:c",
    `${ADA} `,
    "__proto__:x",
  ])
    assert.equal(ownerOf(text), null, text);
});

describe("a wrap under a tenant's key", () => {
  const bound = { vault: VAULT, tenant: "acme", owner: ADA, version: VERSION, generation: 1 };
  const tenantVersion = "9b2d6f1c-6b0e-4c8a-8c55-0e5c8a7b1d11";
  const secret = Buffer.alloc(32, 3);
  const tenantKey = { version: tenantVersion, key: SecretBytes.copyOf(secret) };

  test("is salt, IV, version, key and tag, bound to whose it is", () => {
    using key = randomSecret(32);
    const wrap = tenantWrap(key, tenantKey, bound);
    const bytes = Buffer.from(wrap.ciphertext);
    assert.deepEqual(
      [wrap.provider, Buffer.from(wrap.info).toString(), bytes.length],
      ["strongroom-tenant", "acme", 92],
    );
    assert.equal(bytes.subarray(28, 44).toString("hex"), tenantVersion.replaceAll("-", ""));
    const wrapping = derived(secret, "strongroom-tenant", bytes.subarray(0, 16));
    const aad = joined(VAULT, "acme", tenantVersion, ADA, VERSION, "1");
    assert.deepEqual(gcmOpened(wrapping, bytes.subarray(16, 28), aad, bytes.subarray(44)), key.bytes);
    assert.equal(namedTenantKey([wrap])?.version, tenantVersion);
    assert.equal(namedTenantKey([wrap, wrap]), null);
    assert.equal(namedTenantKey([{ ...wrap, provider: "aws-kms" }]), null);
    assert.equal(namedTenantKey([{ ...wrap, info: Buffer.from("Acme") }]), null);
  });

  test("opens for no other vault, tenant, person, version or generation", () => {
    using key = randomSecret(32);
    const wrap = tenantWrap(key, tenantKey, bound);
    assert.ok(tenantUnwrap(wrap, tenantKey, bound)?.bytes.equals(key.bytes));
    for (const other of [
      { vault: randomUUID() },
      { tenant: "other" },
      { owner: BOB },
      { version: randomUUID() as string as KeyVersion },
      { generation: 2 },
    ])
      assert.equal(tenantUnwrap(wrap, tenantKey, { ...bound, ...other }), null, Object.keys(other).join());
    assert.equal(tenantUnwrap(wrap, { ...tenantKey, version: VERSION }, bound), null);
    assert.equal(tenantUnwrap(wrap, { ...tenantKey, key: randomSecret(32) }, bound), null);
  });
});

describe("a sealed text", () => {
  const secret = Buffer.alloc(32, 4);
  const key = { version: VERSION, key: SecretBytes.copyOf(secret) };
  const place = { label: "strongroom/name/1", vault: VAULT, place: [ADA] } as const;
  const owner = { kind: "person", owner: ADA } as const;

  test("says under whose key it is, and is bound to its place", () => {
    const bytes = Buffer.from(sealText("default\0Ada", owner, key, place));
    assert.equal(bytes.subarray(0, 2).toString("hex"), "0100");
    assert.equal(bytes.subarray(2, 18).toString("hex"), ADA.replaceAll("-", ""));
    assert.equal(bytes.subarray(18, 34).toString("hex"), VERSION.replaceAll("-", ""));
    const sealing = derived(secret, "strongroom-text", bytes.subarray(34, 50));
    const aad = joined("strongroom/name/1", VAULT, ADA, "0", ADA, VERSION);
    assert.equal(gcmOpened(sealing, bytes.subarray(50, 62), aad, bytes.subarray(62)).toString(), "default\0Ada");
    assert.deepEqual(textHeader(bytes), { kind: "person", ownerId: ADA, version: VERSION });
  });

  test("opens at no other place, for no other owner, and with no bit changed", () => {
    const sealed = sealText("Ada", owner, key, place);
    assert.equal(openText(sealed, owner, key, place), "Ada");
    assert.equal(openText(sealed, owner, key, { ...place, place: [BOB] }), null);
    assert.equal(openText(sealed, owner, key, { ...place, label: "strongroom/sealed-id/1" }), null);
    assert.equal(openText(sealed, owner, key, { ...place, vault: randomUUID() }), null);
    assert.equal(openText(sealed, { ...owner, owner: BOB }, key, place), null);
    assert.equal(openText(sealed, { kind: "vault", owner: "vault" }, key, place), null);
    assert.equal(openText(sealed, owner, { ...key, version: randomUUID() }, place), null);
    for (let index = 34; index < sealed.length; index++) {
      const changed = Buffer.from(sealed);
      changed[index]! ^= 1;
      assert.equal(openText(changed, owner, key, place), null);
    }
  });

  test("is told from what is none", () => {
    const sealed = sealText("", { kind: "vault", owner: "vault" }, key, place);
    assert.deepEqual(textHeader(sealed), { kind: "vault", ownerId: null, version: VERSION });
    assert.equal(textHeader(sealed.subarray(0, -1)), null);
    for (const [index, value] of [
      [0, 2],
      [1, 3],
      [5, 1],
    ] as const) {
      const changed = Buffer.from(sealed);
      changed[index] = value;
      assert.equal(textHeader(changed), null);
    }
    assert.equal(textHeader(new Uint8Array()), null);
  });
});
