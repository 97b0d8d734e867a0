import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { failure, REGION, runningKms } from "../running-kms.ts";

const CONTEXT = { collection: "customers", id: "42" };

test("a data key comes plain and encrypted, and the encrypted one opens to the plain one", async (t) => {
  const kms = (await runningKms(t)).client();
  const { KeyMetadata } = await kms.createKey({});
  const made = await kms.generateDataKey({
    KeyId: KeyMetadata!.KeyId!,
    KeySpec: "AES_256",
    EncryptionContext: CONTEXT,
  });
  assert.equal(made.Plaintext!.length, 32);
  assert.equal(made.KeyId, KeyMetadata!.Arn);
  assert.match(made.KeyMaterialId!, /^[0-9a-f]{64}$/);
  assert.equal(made.KeyMaterialId, KeyMetadata!.CurrentKeyMaterialId);
  const opened = await kms.decrypt({
    CiphertextBlob: made.CiphertextBlob!,
    EncryptionContext: { id: "42", collection: "customers" },
  });
  assert.deepEqual(opened.Plaintext, made.Plaintext);
  assert.equal(opened.EncryptionAlgorithm, "SYMMETRIC_DEFAULT");
  assert.equal(opened.KeyMaterialId, made.KeyMaterialId);
  const without = await kms.generateDataKeyWithoutPlaintext({ KeyId: KeyMetadata!.KeyId!, NumberOfBytes: 1024 });
  assert.equal("Plaintext" in without, false);
  assert.equal((await kms.decrypt({ CiphertextBlob: without.CiphertextBlob! })).Plaintext!.length, 1024);
  assert.equal((await kms.generateDataKey({ KeyId: KeyMetadata!.KeyId!, KeySpec: "AES_128" })).Plaintext!.length, 16);
});

test("the same plaintext never gives the same ciphertext twice", async (t) => {
  const kms = (await runningKms(t)).client();
  const { KeyMetadata } = await kms.createKey({});
  const request = { KeyId: KeyMetadata!.KeyId!, Plaintext: Buffer.from("again") };
  const [a, b] = await Promise.all([kms.encrypt(request), kms.encrypt(request)]);
  assert.notDeepEqual(a.CiphertextBlob, b.CiphertextBlob);
});

test("every changed bit, and every shorter or longer blob, is refused without a word", async (t) => {
  const kms = (await runningKms(t)).client();
  const { KeyMetadata } = await kms.createKey({});
  const { CiphertextBlob } = await kms.encrypt({ KeyId: KeyMetadata!.KeyId!, Plaintext: Buffer.from("x") });
  const blob = Buffer.from(CiphertextBlob!);
  // The 17 bytes that name the key answer as a key that does not exist.
  const namesTheKey = (at: number): boolean => at >= 4 && at < 21;
  for (let at = 0; at < blob.length; at++) {
    const changed = Buffer.from(blob);
    changed[at]! ^= 1 << (at % 8);
    const { name, status } = await failure(kms.decrypt({ CiphertextBlob: changed }));
    assert.ok(
      status === 400 &&
        (name === "InvalidCiphertextException" || (namesTheKey(at) && name === "AccessDeniedException")),
      `byte ${at}: ${name}`,
    );
  }
  for (const other of [
    blob.subarray(0, -1),
    Buffer.concat([blob, Buffer.of(0)]),
    blob.subarray(0, 50),
    randomBytes(200),
  ]) {
    assert.equal((await failure(kms.decrypt({ CiphertextBlob: other }))).name, "InvalidCiphertextException");
  }
  for (const EncryptionContext of [{ a: "b" }, { "": "" }]) {
    assert.equal(
      (await failure(kms.decrypt({ CiphertextBlob: blob, EncryptionContext }))).name,
      "InvalidCiphertextException",
    );
  }
});

test("re-encryption moves a ciphertext to another key and context", async (t) => {
  const kms = (await runningKms(t)).client();
  const source = (await kms.createKey({})).KeyMetadata!;
  const target = (await kms.createKey({})).KeyMetadata!;
  const { CiphertextBlob } = await kms.encrypt({
    KeyId: source.KeyId!,
    Plaintext: Buffer.from("move me"),
    EncryptionContext: { v: "1" },
  });
  const moved = await kms.reEncrypt({
    CiphertextBlob: CiphertextBlob!,
    SourceEncryptionContext: { v: "1" },
    DestinationKeyId: target.Arn!,
    DestinationEncryptionContext: { v: "2" },
  });
  assert.equal(moved.SourceKeyId, source.Arn);
  assert.equal(moved.KeyId, target.Arn);
  assert.equal(moved.SourceKeyMaterialId, source.CurrentKeyMaterialId);
  assert.equal(moved.DestinationKeyMaterialId, target.CurrentKeyMaterialId);
  const opened = await kms.decrypt({ CiphertextBlob: moved.CiphertextBlob!, EncryptionContext: { v: "2" } });
  assert.equal(Buffer.from(opened.Plaintext!).toString(), "move me");
});

test("RSA keys encrypt with OAEP and take no context", async (t) => {
  const kms = (await runningKms(t)).client();
  const { KeyMetadata } = await kms.createKey({ KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" });
  const KeyId = KeyMetadata!.KeyId!;
  for (const EncryptionAlgorithm of ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"] as const) {
    const { CiphertextBlob } = await kms.encrypt({ KeyId, EncryptionAlgorithm, Plaintext: Buffer.from("rsa") });
    assert.equal(CiphertextBlob!.length, 256);
    assert.equal(
      Buffer.from(
        (await kms.decrypt({ KeyId, EncryptionAlgorithm, CiphertextBlob: CiphertextBlob! })).Plaintext!,
      ).toString(),
      "rsa",
    );
    const tampered = Buffer.from(CiphertextBlob!);
    tampered[100]! ^= 1;
    assert.equal(
      (await failure(kms.decrypt({ KeyId, EncryptionAlgorithm, CiphertextBlob: tampered }))).name,
      "InvalidCiphertextException",
    );
  }
  assert.equal(
    (await failure(kms.encrypt({ KeyId, Plaintext: Buffer.from("x") }))).message,
    "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.",
  );
});

test("an alias moves to another key and old ciphertexts still open", async (t) => {
  const kms = (await runningKms(t)).client();
  const [one, two] = [(await kms.createKey({})).KeyMetadata!, (await kms.createKey({})).KeyMetadata!];
  await kms.createAlias({ AliasName: "alias/app", TargetKeyId: one.KeyId! });
  const old = await kms.encrypt({ KeyId: "alias/app", Plaintext: Buffer.from("old") });
  assert.match(
    (await failure(kms.createAlias({ AliasName: "alias/app", TargetKeyId: two.KeyId! }))).message,
    /^An alias with the name arn:aws:kms:eu-west-1:\d+:alias\/app already exists$/,
  );
  await kms.updateAlias({ AliasName: "alias/app", TargetKeyId: two.KeyId! });
  assert.equal(
    (await kms.encrypt({ KeyId: `arn:aws:kms:${REGION}:000000000000:alias/app`, Plaintext: Buffer.from("new") })).KeyId,
    two.Arn,
  );
  assert.equal(Buffer.from((await kms.decrypt({ CiphertextBlob: old.CiphertextBlob! })).Plaintext!).toString(), "old");
  const { Aliases } = await kms.listAliases({ KeyId: two.KeyId! });
  assert.deepEqual(
    Aliases!.map((alias) => alias.AliasName),
    ["alias/app"],
  );
  await kms.deleteAlias({ AliasName: "alias/app" });
  assert.equal(
    (await failure(kms.encrypt({ KeyId: "alias/app", Plaintext: Buffer.from("x") }))).name,
    "NotFoundException",
  );
});

test("lists come in pages that neither skip nor repeat", async (t) => {
  const kms = (await runningKms(t)).client();
  const made = new Set<string>();
  for (let i = 0; i < 7; i++) made.add((await kms.createKey({})).KeyMetadata!.KeyId!);
  const seen: string[] = [];
  let Marker: string | undefined;
  do {
    const page = await kms.listKeys({ Limit: 3, ...(Marker && { Marker }) });
    seen.push(...page.Keys!.map((key) => key.KeyId!));
    assert.equal(page.Truncated, page.NextMarker !== undefined);
    Marker = page.NextMarker;
  } while (Marker);
  assert.equal(seen.length, 7);
  assert.deepEqual(new Set(seen), made);
  assert.equal((await failure(kms.listKeys({ Marker: "nonsense" }))).name, "InvalidMarkerException");
});

test("a key whose deletion is due is gone, and its ciphertexts with it", async (t) => {
  const running = await runningKms(t);
  const kms = running.client();
  const { KeyId, Arn } = (await kms.createKey({})).KeyMetadata!;
  const { CiphertextBlob } = await kms.encrypt({ KeyId: KeyId!, Plaintext: Buffer.from("x") });
  await kms.createAlias({ AliasName: "alias/gone", TargetKeyId: KeyId! });
  await kms.scheduleKeyDeletion({ KeyId: KeyId!, PendingWindowInDays: 7 });
  running.clock.advance(7 * 86_400_000 + 1000);
  const later = running.client();
  assert.equal((await failure(later.describeKey({ KeyId: KeyId! }))).message, `Key '${Arn!}' does not exist`);
  assert.equal((await failure(later.decrypt({ CiphertextBlob: CiphertextBlob! }))).name, "AccessDeniedException");
  const { Aliases = [] } = await later.listAliases({});
  assert.deepEqual(
    Aliases.filter(({ AliasName }) => !AliasName!.startsWith("alias/aws/")),
    [],
  );
});
