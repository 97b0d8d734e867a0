/**
 * Somebody who was erased and is back under the same name, as another person: a process that still remembers who had
 * the name before must not answer, restrict or refuse for them.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Scope, Vault } from "@strongroom/vault";
import type { SubjectId } from "../../src/stores/subjects.ts";
import { rejectsWith } from "../support/errors.ts";
import { keyedVault } from "../support/keyed-vault.ts";

const at = (id: string) => ({ collection: "people", id });

interface Returned {
  /** Remembers who had the name before. */
  readonly late: Vault;
  /** Knows who has it now. */
  readonly vault: Vault;
}

/** Ada was erased, and is back with a record of her own. */
async function returned(t: TestContext, scope: Scope): Promise<Returned> {
  const { vault, another, store, storage, stored } = await keyedVault(t, { keys: { scope } });
  const late = await another();
  await vault.put(at("1"), { n: 1 }, { subject: "ada" });
  await late.put(at("1"), { n: 2 }, { subject: "ada" });
  const before = (await stored(at("1"))).subject as string as SubjectId;
  await store.subjects.setState({ id: before, from: ["active"], to: "erasing" });
  await (await storage.openKeys()).keys.erase([before], new Date().toISOString());
  await vault.remove(at("1"));
  await store.subjects.setState({ id: before, from: ["erasing"], to: "erased" });
  await vault.put(at("2"), {}, { subject: "ada" });
  assert.notEqual((await stored(at("2"))).subject, before);
  return { late, vault };
}

for (const scope of ["record", "subject", "tenant"] satisfies Scope[]) {
  test(`has their own state, in ${scope} scope`, async (t) => {
    const { late, vault } = await returned(t, scope);
    assert.equal(await late.subjects.state("ada"), "active");
    assert.equal(await late.subjects.restrict("ada"), "restricted");
    await rejectsWith("subject-restricted", () => vault.get(at("2")));
    assert.equal(await late.subjects.release("ada"), "active");
    assert.deepEqual((await vault.get(at("2"))).document, {});
  });

  test(`has their own records and keys, in ${scope} scope`, async (t) => {
    const { late } = await returned(t, scope);
    assert.deepEqual((await late.subjects.records("ada")).items, [at("2")]);
    const again = await returned(t, scope);
    await again.late.subjects.renewKey("ada");
    assert.equal((await again.vault.get(at("2"))).subject, "ada");
  });

  test(`is who they are to a writer, in ${scope} scope`, async (t) => {
    const { late } = await returned(t, scope);
    assert.equal((await late.put(at("2"), { n: 2 }, { subject: "ada" })).subject, "ada");
    const more = await returned(t, scope);
    await more.vault.put(at("3"), { n: 1 }, { subject: "bob", about: ["ada"] });
    assert.deepEqual((await more.late.put(at("3"), { n: 2 })).about, ["ada"]);
  });
}
