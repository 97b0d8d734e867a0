import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rawAesKeyring } from "@strongroom/envelope";
import { DEFAULT_VAULT_LIMITS, openVault } from "@strongroom/vault";
import { rejectsWith, throwsWith } from "./support/errors.ts";
import { ADA, aesKeyring, KINDS, testVault } from "./support/vault.ts";

const address = { collection: "people", id: "ada" };

for (const kind of KINDS)
  describe(kind.name, () => {
    test("a document comes back as it was put, under version 1", async (t) => {
      const { vault } = await testVault(t, { kind, clock: () => new Date("2026-01-02T03:04:05.678Z") });
      const put = await vault.put(address, ADA);
      assert.deepEqual(put, {
        ...address,
        subject: "ada",
        version: 1,
        createdAt: "2026-01-02T03:04:05.678Z",
        outcome: "created",
        wraps: { stored: 1, target: 1, missing: [] },
      });
      assert.deepEqual(await vault.get(address), {
        ...address,
        subject: "ada",
        version: 1,
        createdAt: put.createdAt,
        document: ADA,
      });
    });

    test("every write is a version; all of them stay readable and none is opened to list them", async (t) => {
      const { vault } = await testVault(t, { kind });
      for (const step of [1, 2, 3]) await vault.put(address, { step });
      for (const step of [1, 2, 3]) assert.deepEqual((await vault.get(address, { version: step })).document, { step });
      assert.deepEqual((await vault.get(address)).document, { step: 3 });
      const history = await vault.history(address);
      assert.deepEqual(
        history.map(({ version, subject, wraps }) => ({ version, subject, wraps })),
        [3, 2, 1].map((version) => ({ version, subject: "ada", wraps: { stored: 1, target: 1 } })),
      );
      assert.ok(history.every(({ messageBytes }) => messageBytes > 100));
      await rejectsWith("version-absent", () => vault.get(address, { version: 4 }));
      await rejectsWith("version-invalid", () => vault.get(address, { version: 0 }));
    });

    test("what is not there is absent: record, version, collection", async (t) => {
      const { vault } = await testVault(t, { kind });
      await rejectsWith("record-absent", () => vault.get(address));
      await rejectsWith("record-absent", () => vault.history(address));
      await rejectsWith("record-absent", () => vault.remove(address));
      await rejectsWith("collection-absent", () => vault.list("people"));
      assert.deepEqual(await vault.collections(), []);
    });

    test("a removed record is absent, and its version numbers are never used again", async (t) => {
      const { vault } = await testVault(t, { kind });
      await vault.put(address, { step: 1 });
      await vault.put(address, { step: 2 });
      const removed = await vault.remove(address);
      assert.equal(removed.lastVersion, 2);
      await rejectsWith("record-absent", () => vault.get(address));
      await rejectsWith("record-absent", () => vault.get(address, { version: 1 }));
      await rejectsWith("record-absent", () => vault.history(address));
      await rejectsWith("record-absent", () => vault.remove(address));
      assert.deepEqual(await vault.list("people"), { items: [], next: null });
      assert.deepEqual(await vault.collections(), [{ collection: "people", records: 0 }]);
      const again = await vault.put(address, { step: 3 }, { expect: { kind: "absent" } });
      assert.equal(again.version, 3);
      assert.equal(again.outcome, "created");
      await rejectsWith("version-absent", () => vault.get(address, { version: 2 }));
      assert.deepEqual(
        (await vault.history(address)).map(({ version }) => version),
        [3],
      );
    });

    test("a write is made only on what it expects, and the error says what there is", async (t) => {
      const { vault } = await testVault(t, { kind });
      const put = (expect: Parameters<typeof vault.put>[2]) => vault.put(address, ADA, expect);
      assert.equal(
        (await rejectsWith("version-conflict", () => put({ expect: { kind: "version", version: 1 } }))).currentVersion,
        null,
      );
      await rejectsWith("version-conflict", () => put({ expect: { kind: "present" } }));
      await put({ expect: { kind: "absent" } });
      assert.equal(
        (await rejectsWith("version-conflict", () => put({ expect: { kind: "absent" } }))).currentVersion,
        1,
      );
      await put({ expect: { kind: "version", version: 1 } });
      await put({ expect: { kind: "present" } });
      assert.equal(
        (await rejectsWith("version-conflict", () => put({ expect: { kind: "version", version: 2 } }))).currentVersion,
        3,
      );
      await rejectsWith("version-conflict", () => vault.remove(address, { expect: { kind: "absent" } }));
      await rejectsWith("version-conflict", () => vault.remove(address, { expect: { kind: "version", version: 2 } }));
      assert.equal((await vault.get(address)).version, 3);
      await vault.remove(address, { expect: { kind: "version", version: 3 } });
      await rejectsWith("version-conflict", () => vault.remove(address, { expect: { kind: "version", version: 3 } }));
      await rejectsWith("record-absent", () => vault.remove(address, { expect: { kind: "absent" } }));
      await rejectsWith("record-absent", () =>
        vault.remove({ collection: "people", id: "never there" }, { expect: { kind: "absent" } }),
      );
    });

    test("a subject stays with the record until a writer names another; old versions keep theirs", async (t) => {
      const { vault } = await testVault(t, { kind });
      await vault.put(address, { step: 1 }, { subject: "person-1" });
      assert.equal((await vault.put(address, { step: 2 })).subject, "person-1");
      assert.equal((await vault.put(address, { step: 3 }, { subject: "person-2", repoint: true })).subject, "person-2");
      assert.deepEqual(
        (await vault.history(address)).map(({ subject }) => subject),
        ["person-2", "person-1", "person-1"],
      );
      assert.deepEqual((await vault.get(address, { version: 1 })).document, { step: 1 });
      await vault.remove(address);
      assert.equal((await vault.put(address, { step: 4 })).subject, "ada", "a removed record leaves no subject behind");
    });

    test("a list pages through ids by their bytes, whatever is written meanwhile", async (t) => {
      const { vault } = await testVault(t, { kind });
      const ids = ["Z", "a", "b", "é", "\u{10000}", "\uffee"];
      for (const id of [...ids].reverse()) await vault.put({ collection: "people", id }, { id });
      await vault.put({ collection: "pets", id: "a" }, {});
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await vault.list("people", { limit: 2, ...(cursor === undefined ? {} : { cursor }) });
        assert.ok(page.items.length <= 2);
        seen.push(...page.items.map(({ id }) => id));
        await vault.put({ collection: "people", id: "A-behind-the-cursor" }, {});
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      assert.deepEqual(
        seen,
        [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      );
      assert.deepEqual(await vault.collections(), [
        { collection: "people", records: 7 },
        { collection: "pets", records: 1 },
      ]);
    });

    test("a page size or a cursor that the list did not give out is refused", async (t) => {
      const { vault } = await testVault(t, { kind });
      for (const id of ["a", "b", "c"])
        for (const collection of ["people", "pets"]) await vault.put({ collection, id }, {});
      for (const limit of [0, -1, 1.5, Number.NaN, DEFAULT_VAULT_LIMITS.listItems + 1])
        await rejectsWith("limit-invalid", () => vault.list("people", { limit }));
      const { next } = await vault.list("people", { limit: 1 });
      assert.ok(next !== null);
      await rejectsWith("cursor-invalid", () => vault.list("pets", { cursor: next }));
      for (const cursor of [
        "",
        "!",
        "e30",
        Buffer.from('[1,"people","../x"]').toString("base64url"),
        Buffer.from('[2,"people","a"]').toString("base64url"),
        "A".repeat(5000),
      ]) {
        await rejectsWith("cursor-invalid", () => vault.list("people", { cursor }));
      }
    });

    test("records live in the store: a vault opened again with the same key finds them, with another key opens none", async (t) => {
      const { vault, storage, another } = await testVault(t, { kind });
      await vault.put(address, ADA);
      await vault.close();
      const again = await another();
      assert.deepEqual((await again.get(address)).document, ADA);
      // Of a key store's keys its own tests tell.
      if (kind.scope !== null) return;
      await using stranger = await openVault({ store: await storage.open(), keyring: aesKeyring() });
      await rejectsWith("record-tampered", () => stranger.get(address));
      const other = rawAesKeyring({
        keyNamespace: "strongroom-test",
        keyName: "another",
        wrappingKey: new Uint8Array(32),
      });
      await using unconfigured = await openVault({ store: await storage.open(), keyring: other });
      await rejectsWith("key-not-configured", () => unconfigured.get(address));
    });

    test("a closed vault says so", async (t) => {
      const { vault } = await testVault(t, { kind });
      await vault.close();
      await vault.close();
      await rejectsWith("store-closed", () => vault.get(address));
      await rejectsWith("store-closed", () => vault.put(address, ADA));
      await rejectsWith("store-closed", () => vault.ping());
    });

    test("an aborted caller stores and gets nothing", async (t) => {
      const { vault } = await testVault(t, { kind });
      await rejectsWith("aborted", () => vault.put(address, ADA, { signal: AbortSignal.abort() }));
      await rejectsWith("record-absent", () => vault.get(address));
      await vault.put(address, ADA);
      await rejectsWith("aborted", () => vault.get(address, { signal: AbortSignal.abort() }));
      await rejectsWith("aborted", () =>
        vault.putMany("people", [{ id: "b", document: ADA }], { onExisting: "replace", signal: AbortSignal.abort() }),
      );
      await rejectsWith("record-absent", () => vault.get({ collection: "people", id: "b" }));
    });

    test("limits are whole numbers from 1 and every wrong one is listed", async (t) => {
      const { store } = await testVault(t, { kind });
      const error = await rejectsWith("limit-invalid", () =>
        openVault({
          store,
          keyring: aesKeyring(),
          limits: { documentBytes: 0, listItems: 1.5, documentBites: 3 } as never,
        }),
      );
      for (const name of ["documentBytes", "listItems", "documentBites"]) assert.match(error.message, new RegExp(name));
    });

    test("a typed collection has the vault's calls, with an id for an address", async (t) => {
      interface User {
        name: string;
        born?: number;
      }
      const { vault } = await testVault(t, { kind });
      const users = vault.collection<User>("users");
      assert.equal(users.name, "users");
      const ada: User = { name: "Ada Lovelace", born: 1815 };
      const { version } = await users.put("ada", ada, { subject: "person-1", expect: { kind: "absent" } });
      const written = await users.putMany(
        [
          { id: "ada", document: ada },
          { id: "bob", document: { name: "Bob" } },
        ],
        {
          onExisting: "compare",
        },
      );
      assert.deepEqual(
        written.map(({ outcome }) => outcome),
        ["unchanged", "created"],
      );
      const record = await users.get("ada", { version });
      assert.deepEqual(record, await vault.get({ collection: "users", id: "ada" }));
      assert.deepEqual(record.document, ada);
      assert.deepEqual(
        (await users.history("ada")).map((info) => [info.version, info.subject]),
        [[1, "person-1"]],
      );
      assert.deepEqual(
        (await users.list({ limit: 1 })).items.map(({ id }) => id),
        ["ada"],
      );
      assert.equal((await users.remove("bob", { expect: { kind: "present" } })).lastVersion, 1);
      await rejectsWith("record-absent", () => users.get("bob"));
    });

    test("a typed collection's name is refused at once, an id when it is used", async (t) => {
      const { vault } = await testVault(t, { kind });
      throwsWith("collection-invalid", () => vault.collection("Users"));
      const users = vault.collection("users");
      await rejectsWith("id-invalid", () => users.put("..", {}));
      await rejectsWith("id-invalid", () => users.get(""));
      await rejectsWith("document-invalid", () => users.put("1", { born: new Date() } as never));
      await rejectsWith("collection-absent", () => users.list());
    });
  });
