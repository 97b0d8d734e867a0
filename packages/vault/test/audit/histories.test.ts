/** What a hand in the database does to one record: it is refused by whoever reads it, and by whoever writes on top of it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isVaultError, parseAddress } from "@strongroom/vault";
import type { VaultError } from "@strongroom/vault";
import { auditedVault, inWords } from "../support/audited-vault.ts";
import type { AuditedVault } from "../support/audited-vault.ts";
import { rejectsWith } from "../support/errors.ts";
import { turn } from "../support/sabotages/sabotage.ts";

const ADA = { collection: "people", id: "ada" };
const OF_ADA = { subject: "ada@example.com" };
type Code = VaultError["code"];

/** Everything that gives a record out or builds on it, but for lists. */
const calls = ({ vault }: AuditedVault): Readonly<Record<string, () => Promise<unknown>>> => ({
  get: () => vault.get(ADA),
  history: () => vault.history(ADA),
  put: () => vault.put(ADA, { name: "other" }),
  prepare: () => vault.prepare(ADA, { name: "other" }),
  "conditional put": () => vault.put(ADA, { name: "other" }, { expect: { kind: "version", version: 9 } }),
  "conditional remove": () => vault.remove(ADA, { expect: { kind: "present" } }),
});

async function refuses(audited: AuditedVault, code: Code): Promise<void> {
  for (const [name, call] of Object.entries(calls(audited)))
    await rejectsWith(code, call).catch((error: unknown) => {
      throw new Error(`${name} was not refused with ${code}`, { cause: error });
    });
  // A list names it, and withholds no other record for it.
  const before = await audited.vault.list("people");
  assert.deepEqual([before.items, before.damaged], [[], [{ id: "ada", code }]]);
  for (const onExisting of ["replace", "keep", "compare"] as const) {
    const items = [
      { id: "ada", document: { name: "other" } },
      { id: `bob-${onExisting}`, document: { name: "Bob" } },
    ];
    const [ada, bob] = await audited.vault.putMany("people", items, { onExisting });
    assert.equal(ada?.outcome === "refused" && ada.code, code, `${onExisting} builds on it`);
    assert.equal(bob!.outcome, "created", "and nothing else of the batch is refused");
  }
  const { items, damaged } = await audited.vault.list("people");
  assert.deepEqual(
    [items.map(({ id }) => id), damaged],
    [["bob-compare", "bob-keep", "bob-replace"], [{ id: "ada", code }]],
  );
}

describe("a record", () => {
  test("that is set back, its rows together with its head, is refused", async (t) => {
    const audited = await auditedVault(t);
    const { vault, rowOf, putBack, entries } = audited;
    await vault.put(ADA, { name: "Ada" }, OF_ADA);
    const first = rowOf(ADA);
    await vault.put(ADA, { name: "Countess" });
    const second = rowOf(ADA);
    putBack(ADA, first);
    await refuses(audited, "record-rolled-back");
    const refused = (await entries()).filter(({ result }) => result === "record-rolled-back");
    const actions = new Set(refused.map(({ action }) => action));
    assert.deepEqual([...actions].sort(), ["history", "list", "read", "remove", "write"]);
    putBack(ADA, second);
    assert.deepEqual((await vault.get(ADA)).document, { name: "Countess" });
  });

  test("that is set back before the log knows of it is refused as well", async (t) => {
    const audited = await auditedVault(t);
    const { vault, rowOf, putBack } = audited;
    for (const n of [1, 2, 3]) {
      await vault.put(ADA, { n }, OF_ADA);
      const before = rowOf(ADA);
      await vault.put(ADA, { n, again: true });
      const after = rowOf(ADA);
      putBack(ADA, before);
      await rejectsWith("record-rolled-back", () => vault.get(ADA));
      putBack(ADA, after);
      assert.deepEqual((await vault.get(ADA)).document, { n, again: true });
    }
  });

  test("that was removed and whose rows are put back is refused", async (t) => {
    const audited = await auditedVault(t);
    const { vault, rowOf, putBack } = audited;
    await vault.put(ADA, { name: "Ada" }, OF_ADA);
    const row = rowOf(ADA);
    await vault.remove(ADA);
    putBack(ADA, row);
    await refuses(audited, "record-rolled-back");
  });

  test("whose rows are taken away is not told to be absent", async (t) => {
    const { vault, putBack, entries } = await auditedVault(t);
    await vault.put(ADA, { name: "Ada" }, OF_ADA);
    putBack(ADA, null);
    await rejectsWith("record-tampered", () => vault.get(ADA));
    await rejectsWith("record-tampered", () => vault.history(ADA));
    await rejectsWith("record-tampered", () => vault.put(ADA, { name: "other" }, OF_ADA));
    await rejectsWith("record-tampered", () => vault.remove(ADA));
    const told = (await entries()).filter(({ result }) => result === "record-tampered");
    assert.deepEqual(
      told.map(({ action }) => action),
      ["read", "history", "write", "remove"],
    );
  });

  test("whose message is put in the place of another version's, or comes from before its removal, is refused", async (t) => {
    const { vault, rowOf, putBack } = await auditedVault(t);
    await vault.put(ADA, { life: 1 }, OF_ADA);
    const old = rowOf(ADA)!;
    await vault.put(ADA, { life: 1, version: 2 });
    const now = rowOf(ADA)!;
    // The old message under its own number: an inner version, with the head as it is.
    const [message] = old.versions;
    putBack(ADA, { ...now, versions: [{ ...message!, version: 2 as never }] });
    await assert.rejects(vault.get(ADA));
    putBack(ADA, now);
    assert.equal((await vault.get(ADA, { version: 1 })).version, 1);
  });

  test("that is not as the log knows it is removed by whoever expects nothing of it, and that is told", async (t) => {
    const { vault, rowOf, putBack, entries } = await auditedVault(t);
    await vault.put(ADA, { name: "Ada" }, OF_ADA);
    const first = rowOf(ADA);
    await vault.put(ADA, { name: "Countess" });
    putBack(ADA, first);
    await vault.remove(ADA);
    assert.deepEqual(inWords(await entries("remove")), ["remove record-rolled-back local", "remove done local"]);
    // Until the log has the removal, the record is one that was set back.
    await vault.audit!.sequence();
    await rejectsWith("record-absent", () => vault.get(ADA));
    assert.equal((await vault.put(ADA, { name: "Ada" }, OF_ADA)).version, 3, "and no number is used twice");
    assert.equal(
      (await vault.audit!.status()).alarms.some(({ code }) => code === "record-rolled-back"),
      true,
    );
  });
});

test("a list names every record that is not as the log knows it, gives the others, and tells of both", async (t) => {
  const { vault, rowOf, putBack, entries } = await auditedVault(t);
  const all = Array.from({ length: 12 }, (_, index) => ({
    collection: "people",
    id: `p${String(index).padStart(2, "0")}`,
  }));
  for (const address of all) {
    await vault.put(address, { life: 1 });
    const first = rowOf(address);
    await vault.put(address, { life: 2 });
    if (address.id.endsWith("3")) putBack(address, first);
  }
  // Until everything of before has an entry, what nobody knows is taken as it is.
  while (!(await vault.audit!.status()).adopted) await vault.audit!.sequence();
  const address = parseAddress({ collection: "people", id: "p99" });
  putBack(address, { ...rowOf(all[0]!)!, address });
  const seen: string[] = [];
  const damaged: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await vault.list("people", { limit: 5, ...(cursor === undefined ? {} : { cursor }) });
    seen.push(...page.items.map(({ id, version }) => `${id} ${version}`));
    damaged.push(...(page.damaged ?? []).map(({ id, code }) => `${id} ${code}`));
    cursor = page.next;
  }
  assert.deepEqual(
    seen,
    all.filter(({ id }) => !id.endsWith("3")).map(({ id }) => `${id} 2`),
  );
  assert.deepEqual(damaged, ["p03 record-rolled-back", "p99 record-tampered"]);
  const told = (await entries("list")).map(({ result, records = [] }) => `${result} ${records.length}`);
  assert.deepEqual(told.sort(), ["done 2", "done 4", "done 5", "record-rolled-back 1", "record-tampered 1"]);
});

test("readers and writers of one record do not take each other for somebody's hand", async (t) => {
  const { vault, another } = await auditedVault(t);
  const other = await another();
  await vault.put(ADA, { n: 0 }, OF_ADA);
  const writing = Promise.all(
    [vault, other].map(async (one, process) => {
      for (let n = 1; n <= 20; n++) {
        if (n % 7 === 0) await one.remove(ADA).catch(() => undefined);
        else await one.put(ADA, { n, process }, OF_ADA);
      }
    }),
  );
  const refused: unknown[] = [];
  let isWriting = true;
  const reading = Promise.all(
    [vault, other, vault, other].map(async (one) => {
      while (isWriting) {
        for (const read of [() => one.get(ADA), () => one.history(ADA), () => one.list("people")])
          await read().catch((error: unknown) => {
            if (!isVaultError(error) || error.code !== "record-absent") refused.push(error);
          });
        await turn();
      }
    }),
  );
  await writing;
  isWriting = false;
  await reading;
  assert.deepEqual(refused, []);
});
