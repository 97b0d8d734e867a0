/**
 * Two who give a name the same hash at the same moment: one of them has it, and the other one is told so.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Epoch } from "../../src/stores/gate.ts";
import { beginIn, fileServer, newKeySchema } from "./support/storage.ts";
import { newPerson } from "./support/people.ts";

const { pool } = await fileServer();

test("a hash that somebody else's name gets meanwhile is his", async (t) => {
  const { open, schema } = await newKeySchema(t, pool);
  const store = await open();
  const [ada, ben] = [newPerson(), newPerson()];
  await store.keys.create([ada, ben]);
  const tag = randomBytes(32);
  const other = await beginIn(t, pool);
  await other.client.query(`update ${schema}.names set tag = $1 where tag = $2`, [tag, ben.name.tag]);
  const asked = store.keys.retag({ id: ada.name.id, seen: ada.name.tag, tag, epoch: 0 as Epoch });
  await delay(300);
  await other.commit();
  assert.deepEqual(await asked, { kind: "overtaken" });
  assert.deepEqual(await store.keys.resolve([ada.name.tag, tag]), [ada.name.id, ben.name.id]);
});
