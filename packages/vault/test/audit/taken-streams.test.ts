/**
 * A stream that is taken away as a whole, with its row, before the log knows of it leaves no hole: its writer tells.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { STORE_STREAM } from "../../src/stores/outbox.ts";
import { tablesOf } from "../../src/stores/memory/memory-storage.ts";
import { auditedVault } from "../support/audited-vault.ts";

test("a stream of a living process that is taken away with its row is told by name", async (t) => {
  const { vault, memory } = await auditedVault(t);
  const { outbox, streams } = tablesOf(memory);
  const ids = ["a", "b", "c", "d"];
  const putAll = (round: number): Promise<unknown> =>
    Promise.all(
      ids.map((id) =>
        vault.put({ collection: "people", id: `${id}${round}` }, { round }, { subject: "ada@example.com" }),
      ),
    );
  await putAll(1);
  await vault.audit!.sequence();
  assert.deepEqual((await vault.audit!.status()).alarms, []);
  // As if the log had not come to them yet.
  const fresh = [...streams.keys()].filter((stream) => stream !== STORE_STREAM);
  for (const stream of fresh) streams.delete(stream);
  await putAll(2);
  await vault.audit!.sequence();
  const { alarms } = await vault.audit!.status();
  const told = alarms.filter(({ code }) => code === "gap").map(({ message }) => message);
  assert.ok(fresh.length > 0 && fresh.every((stream) => told.some((message) => message.includes(stream))));
  assert.equal(outbox.size, 0);
});
