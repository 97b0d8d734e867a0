import assert from "node:assert/strict";
import { test } from "node:test";
import type { Expectation } from "@strongroom/vault";
import { testVault } from "./support/vault.ts";

const address = { collection: "people", id: "42" };
const asCalled = { name: "Ada", tags: ["a", { deep: "b" }] };
const made = (): { name: unknown; tags: unknown[] } => structuredClone(asCalled);

test("what a caller does to document, address and options after a put changes nothing", async (t) => {
  const { vault } = await testVault(t);
  await vault.put(address, { name: "before" });
  const document = made();
  const where: { collection: string; id: string } = { ...address };
  const expect: { kind: Expectation["kind"]; version: number } = { kind: "version", version: 1 };
  const options: { subject?: string; expect: Expectation } = { subject: "person-1", expect: expect };
  const put = vault.put(where, document as never, options);
  Object.assign(document, { name: Number.NaN, tags: undefined });
  Object.assign(where, { collection: "others", id: "43" });
  Object.assign(expect, { kind: "absent", version: 9 });
  Object.assign(options, { subject: "person-2", expect: { kind: "absent" } });
  const { id, subject, version } = await put;
  assert.deepEqual({ id, subject, version }, { id: "42", subject: "person-1", version: 2 });
  assert.deepEqual((await vault.get(address)).document, asCalled);
});

test("nor after a put through a typed collection, nor after a remove", async (t) => {
  const { vault } = await testVault(t);
  const people = vault.collection("people");
  const document = made();
  const put = people.put("42", document as never);
  document.tags.push("later");
  await put;
  assert.deepEqual((await people.get("42")).document, asCalled);
  const expect = { kind: "version", version: 1 };
  const removed = vault.remove(address, { expect: expect as Expectation });
  Object.assign(expect, { version: 2 });
  assert.equal((await removed).lastVersion, 1);
});

for (const onExisting of ["replace", "compare", "keep"] as const) {
  test(`nor after a batch: ${onExisting}`, async (t) => {
    const { vault } = await testVault(t);
    await vault.put(address, asCalled);
    const items = [
      { id: "42", document: made() },
      { id: "43", document: made() },
    ];
    const options = { onExisting };
    const batch = vault.putMany("people", items as never, options);
    for (const item of items) {
      Object.assign(item.document, { name: undefined });
      Object.assign(item, { id: "44", subject: "person-9" });
    }
    items.length = 1;
    Object.assign(options, { onExisting: "replace" });
    const results = await batch;
    const outcome = { replace: "replaced", compare: "unchanged", keep: "kept" }[onExisting];
    assert.deepEqual(
      results.map(({ id, outcome: came }) => [id, came]),
      [
        ["42", outcome],
        ["43", "created"],
      ],
    );
    for (const id of ["42", "43"]) assert.deepEqual((await vault.get({ collection: "people", id })).document, asCalled);
  });
}

test("a document that cannot be stored is refused before the store is asked, and in a batch only if it is needed", async (t) => {
  const { vault } = await testVault(t);
  await vault.put(address, asCalled);
  await assert.rejects(vault.put(address, { at: Number.NaN }), { code: "document-invalid" });
  const items = [{ id: "42", document: { at: Number.NaN } }];
  const [kept] = await vault.putMany("people", items, { onExisting: "keep" });
  const [compared] = await vault.putMany("people", items, { onExisting: "compare" });
  assert.deepEqual([kept?.outcome, compared?.outcome], ["kept", "refused"]);
});
