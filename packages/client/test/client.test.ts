import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, isClientError } from "@strongroom/client";
import { json, madeUp, service } from "./support/service.ts";

test("a record is written, read, listed and removed, with its versions", async (t) => {
  const { client } = await service(t);
  const admin = await client("admin");
  const { records } = admin;
  interface Person {
    readonly name: string;
    readonly born?: number;
  }
  const ada: Person = { name: "Ada Lovelace", born: 1815 };
  const first = await records.put("people", "ada", ada, { subject: "Ada ♥" });
  assert.deepEqual([first.outcome, first.version, first.subject], ["created", 1, "Ada ♥"]);
  assert.equal((await records.put("people", "ada", '{"name":"Ada King"}')).version, 2);
  assert.equal((await records.put("people", "ada", Buffer.from('{"name":"Countess"}'))).outcome, "replaced");

  const newest = await records.get("people", "ada");
  assert.deepEqual(newest.document, { name: "Countess" });
  assert.deepEqual([newest.text, newest.version, newest.subject], ['{"name":"Countess"}', 3, "Ada ♥"]);
  assert.equal(new Date(newest.createdAt ?? "").toISOString(), newest.createdAt);
  const { document, createdAt } = await records.version("people", "ada", 1);
  assert.deepEqual(document, ada);
  // One time of one version, whoever is asked for it: to the millisecond.
  assert.equal(createdAt, first.createdAt);
  assert.equal((await records.history("people", "ada")).at(-1)?.createdAt, first.createdAt);
  assert.deepEqual(
    (await records.history("people", "ada")).map(({ version }) => version),
    [3, 2, 1],
  );
  assert.deepEqual(await admin.collections(), [{ collection: "people", records: 1 }]);
  assert.equal((await records.remove("people", "ada")).lastVersion, 3);
  await assert.rejects(records.get("people", "ada"), { name: "ClientError", code: "record-absent", status: 404 });
});

test("an id may hold what a URL gives a meaning to", async (t) => {
  const { client } = await service(t);
  const { records } = await client("admin");
  for (const id of ["a b", "a?b=c#d", "100%", "ä", "a+b", "a;b,c", "{id}"]) {
    await records.put("people", id, { id });
    assert.deepEqual((await records.get("people", id)).document, { id });
  }
  assert.equal((await records.list("people").all()).length, 7);
});

test("a condition that does not hold says which version there is", async (t) => {
  const { client } = await service(t);
  const { records } = await client("admin");
  await records.put("people", "ada", {}, { ifAbsent: true });
  await records.put("people", "ada", {}, { ifVersion: 1 });
  const conflict = { code: "version-conflict", outcome: "conflict", status: 412, currentVersion: 2 };
  await assert.rejects(records.put("people", "ada", {}, { ifAbsent: true }), conflict);
  await assert.rejects(records.put("people", "ada", {}, { ifVersion: 1 }), conflict);
  await assert.rejects(records.remove("people", "ada", { ifVersion: 1 }), conflict);
  await records.remove("people", "ada", { ifVersion: 2 });
});

test("a batch says what became of each record, and may be sent again", async (t) => {
  const { client } = await service(t);
  const { records } = await client("admin");
  const items = [
    { id: "1", document: { a: 1 } },
    { id: "a/b", document: {} },
    { id: "2", document: { a: 2 }, subject: "two" },
  ];
  const first = await records.putMany("people", items);
  assert.deepEqual(
    first.map(({ outcome, code }) => [outcome, code]),
    [
      ["created", undefined],
      ["refused", "id-invalid"],
      ["created", undefined],
    ],
  );
  assert.equal((await records.putMany("people", items))[0]?.outcome, "unchanged");
  assert.equal((await records.putMany("people", items, { onExisting: "replace" }))[0]?.version, 2);
  assert.equal((await records.putMany("people", items, { onExisting: "keep" }))[0]?.outcome, "kept");
});

test("a listing is one sequence over its pages, or a page at a time", async (t) => {
  const { client } = await service(t);
  const admin = await client("admin");
  const { records } = admin;
  const ids = Array.from({ length: 25 }, (_, index) => String(index).padStart(2, "0"));
  await records.putMany(
    "people",
    ids.map((id) => ({ id, document: {} })),
  );
  const list = records.list("people");
  const seen: string[] = [];
  for await (const { id } of list) seen.push(id);
  assert.deepEqual(seen, ids);
  assert.deepEqual(
    (await list.all()).map(({ id }) => id),
    ids,
  );
  const first = await list.page({ limit: 10 });
  assert.deepEqual(
    first.items.map(({ id }) => id),
    ids.slice(0, 10),
  );
  const second = await list.page({ limit: 20, cursor: first.next ?? undefined });
  assert.deepEqual([second.items.length, second.next], [15, null]);
  await assert.rejects(list.page({ cursor: "made-up" }), { code: "cursor-invalid" });
  assert.deepEqual(await admin.debt().all(), []);
});

test("a listing asks for the next page only when it comes to it", async () => {
  const asked: string[] = [];
  const { records } = madeUp((request) => {
    const cursor = new URL(request.url).searchParams.get("cursor") ?? "first";
    asked.push(cursor);
    const next = { first: "second", second: "third", third: null }[cursor];
    return json({ items: [{ id: cursor, version: 1, updatedAt: "" }], next });
  });
  for await (const { id } of records.list("people")) if (id === "second") break;
  assert.deepEqual(asked, ["first", "second"]);
});

test("the service's state: alive, ready, its regions", async (t) => {
  const { client } = await service(t);
  const reader = await client("read");
  await reader.health();
  assert.equal((await reader.ready()).status, "ready");
  assert.deepEqual((await reader.regions()).regions, []);
  const { client: lame } = await service(t, { minimum: 1, health: () => [] });
  assert.equal((await (await lame("read")).ready()).regions.ok, false);
});

test("a document that JSON would change in silence is refused before it is sent", async () => {
  const { records } = madeUp(() => assert.fail("nothing is to be sent"));
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  for (const document of [{ a: NaN }, { a: [Infinity] }, { a: [undefined] }, { a: 1n }, circle]) {
    await assert.rejects(records.put("people", "ada", document), { code: "document-invalid", outcome: "usage" });
    await assert.rejects(records.putMany("people", [{ id: "ada", document }]), { code: "document-invalid" });
  }
});

test("a name that would be another route is refused before it is sent", async () => {
  const { records } = madeUp(() => assert.fail("nothing is to be sent"));
  for (const name of ["", ".", "..", "\ud800"]) {
    await assert.rejects(records.get("people", name), { code: "id-invalid", outcome: "usage" });
    await assert.rejects(records.get(name, "ada"), { code: "collection-invalid" });
    await assert.rejects(records.list(name).page(), { code: "collection-invalid" });
  }
  await assert.rejects(records.put("people", "ada", {}, { subject: "\udfff" }), { code: "subject-invalid" });
});

test("options that cannot work are refused, and not shown", () => {
  const wrong = [
    { url: "vault.example", token: "secret" },
    { url: "ftp://vault.example", token: "secret" },
    { url: "https://me:password@vault.example", token: "secret" },
    { url: "https://vault.example", token: "two secret words" },
    { url: "https://vault.example", token: "" },
    { url: "https://vault.example", token: "secret", timeoutMs: 0 },
  ];
  for (const options of wrong)
    assert.throws(
      () => createClient(options),
      (error) => isClientError(error) && error.code === "option-invalid" && !/secret|password@/.test(error.message),
    );
});

test("a service behind a path is reached there", async () => {
  const client = createClient({
    url: "https://example.test/vault/?ignored#too",
    token: "srt_made_up",
    fetch: async ({ url }) => json({ status: url === "https://example.test/vault/healthz" ? "ok" : url }),
  });
  await client.health();
});
