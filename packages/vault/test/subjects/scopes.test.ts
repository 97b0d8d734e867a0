/** The three scopes side by side in one vault: what each writes, what it asks of the keyring, and that all read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decrypt, inspect } from "@strongroom/envelope";
import { parseAddress, parseSubject, parseVersion, versionContext } from "@strongroom/vault";
import { isSubjectId } from "../../src/stores/subjects.ts";
import { rejectsWith } from "../support/errors.ts";
import { keyedVault } from "../support/keyed-vault.ts";

const SCOPES = ["record", "subject", "tenant"] as const;
const collections = Object.fromEntries(SCOPES.map((scope) => [`of-${scope}`, { scope, subject: "id" as const }]));

test("each scope's messages lie beside the others', about one person, and the message says which it is", async (t) => {
  const { vault, stored, keyring, store } = await keyedVault(t, { collections });
  for (const scope of SCOPES) {
    const put = await vault.put({ collection: `of-${scope}`, id: "1" }, { scope }, { subject: "ada@example.com" });
    assert.equal(put.subject, "ada@example.com");
    assert.deepEqual(put.wraps, { stored: 1, target: 1, missing: [] });
  }
  const rows = await Promise.all(SCOPES.map((scope) => stored({ collection: `of-${scope}`, id: "1" })));
  assert.equal(new Set(rows.map(({ subject }) => subject)).size, 1, "one person");
  const [{ subject }] = rows as [(typeof rows)[number]];
  assert.ok(isSubjectId(subject));
  const keys = rows.map(({ message }) => inspect(message).encryptedDataKeys.map(({ providerId }) => providerId));
  assert.deepEqual(keys, [["strongroom-test"], ["aws-kms-hierarchy"], ["aws-kms-hierarchy"]]);
  for (const [index, { message }] of rows.entries()) {
    const { encryptionContext, encryptedDataKeys } = inspect(message);
    assert.deepEqual(Object.keys(encryptionContext).sort(), [
      "strongroom:collection",
      "strongroom:id",
      "strongroom:subject",
      "strongroom:vault",
      "strongroom:version",
    ]);
    assert.equal(encryptionContext["strongroom:vault"], (await store.gate.current()).vault);
    assert.equal(encryptedDataKeys[0]?.keyInfo, index === 0 ? "k" : subject);
    assert.ok(!Buffer.from(message).includes("ada@"), "the name is not in the message");
  }
  for (const scope of SCOPES) {
    const record = await vault.get({ collection: `of-${scope}`, id: "1" });
    assert.deepEqual([record.document, record.subject], [{ scope }, "ada@example.com"]);
  }
  // A message of record scope is whole in itself: any AWS Encryption SDK with the key reads it.
  const address = parseAddress({ collection: "of-record", id: "1" });
  const { vault: id } = await store.gate.current();
  const version = { ...address, subject: parseSubject(subject), version: parseVersion(1), vault: id };
  const opened = await decrypt(rows[0]!.message, { keyring, encryptionContext: versionContext(version) });
  assert.equal(Buffer.from(opened.plaintext).toString(), '{"scope":"record"}');
});

test("a record whose collection is declared otherwise goes on in the other scope, and its old versions still read", async (t) => {
  const { vault, another, stored } = await keyedVault(t, { collections: { people: { scope: "record" } } });
  const ada = { collection: "people", id: "1" };
  await vault.put(ada, { n: 1 }, { subject: "ada" });
  for (const [index, scope] of (["subject", "tenant", "record"] as const).entries()) {
    const next = await another({ collections: { people: { scope } } });
    assert.equal((await next.put(ada, { n: index + 2 })).subject, "ada");
  }
  for (const version of [1, 2, 3, 4]) assert.deepEqual((await vault.get(ada, { version })).document, { n: version });
  assert.equal(inspect((await stored(ada)).message).encryptedDataKeys[0]?.providerId, "strongroom-test");
});

test("a key is asked for once a person or once a tenant, and in record scope for each version", async (t) => {
  const { vault, calls, another } = await keyedVault(t, { collections });
  await vault.put({ collection: "of-tenant", id: "first" }, {});
  await vault.put({ collection: "of-record", id: "warm" }, {});
  const cost = async (work: () => Promise<unknown>): Promise<readonly number[]> => {
    const before = { ...calls };
    await work();
    return [calls.encrypt - before.encrypt, calls.decrypt - before.decrypt];
  };
  const items = Array.from({ length: 20 }, (_, n) => ({ id: String(n), document: { n } }));
  const put = (scope: string) => cost(() => vault.putMany(`of-${scope}`, items, { onExisting: "replace" }));
  const [record, subject, tenant] = [await put("record"), await put("subject"), await put("tenant")];
  assert.deepEqual({ record, subject, tenant }, { record: [20, 0], subject: [20, 0], tenant: [0, 0] });
  const cold = await another({ collections });
  const read = (scope: string) =>
    cost(async () => {
      for (const { id } of items) await cold.get({ collection: `of-${scope}`, id });
    });
  await cold.get({ collection: "of-tenant", id: "first" });
  await cold.get({ collection: "of-record", id: "warm" });
  assert.deepEqual(
    [await read("record"), await read("record")],
    [
      [0, 20],
      [0, 20],
    ],
  );
  assert.deepEqual(
    [await read("subject"), await read("subject")],
    [
      [0, 20],
      [0, 0],
    ],
  );
  assert.deepEqual(
    [await read("tenant"), await read("tenant")],
    [
      [0, 0],
      [0, 0],
    ],
  );
  assert.ok((cold.subjectKeys()?.hits ?? 0) > 20);
});

test("what is inherited is proved without a call for a person whose key is at hand", async (t) => {
  const { vault, calls, changeVersion } = await keyedVault(t);
  const ada = { collection: "people", id: "1" };
  await vault.put(ada, { n: 1 }, { subject: "ada" });
  const before = { ...calls };
  await vault.put(ada, { n: 2 });
  assert.deepEqual(calls, before);
  changeVersion(ada, ({ message }) => ({ message: Buffer.from(message.with(-1, message.at(-1)! ^ 1)) }));
  await rejectsWith("record-tampered", () => vault.put(ada, { n: 3 }));
  await rejectsWith("record-tampered", () => vault.put(ada, { n: 3 }, { subject: "ada" }));
});

test("a renewed key seals what comes, and what was before still opens", async (t) => {
  const { vault, another } = await keyedVault(t);
  const ada = { collection: "people", id: "1" };
  await vault.put(ada, { n: 1 }, { subject: "ada" });
  const other = await another();
  await other.get(ada);
  await vault.subjects.renewKey("ada");
  await vault.put(ada, { n: 2 });
  for (const each of [vault, other]) {
    assert.deepEqual((await each.get(ada)).document, { n: 2 });
    assert.deepEqual((await each.get(ada, { version: 1 })).document, { n: 1 });
  }
  // The other process still has the old key in memory: the store refuses it, and it asks anew.
  assert.equal((await other.put(ada, { n: 3 })).version, 3);
  await rejectsWith("subject-absent", () => vault.subjects.renewKey("bob"));
});
