import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { approversIn, fileTokens, findApprover } from "@strongroom/server";
import { defer } from "../../../../tests/support/defer.ts";

test("those who approve are the administrators, without their names; one name is one holder", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-approvers-"));
  defer(t, () => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "tokens.json");
  assert.deepEqual(await approversIn(path), []);
  const tokens = await fileTokens(path);
  const make = (name: string, scope: "read" | "admin") => tokens.create({ name, scopes: [scope] });
  const reader = await make("Reader", "read");
  const [ada, bob, again] = [await make("Ada", "admin"), await make("Bob", "admin"), await make("Ada", "admin")];
  const approvers = await approversIn(path);
  assert.doesNotMatch(JSON.stringify(approvers), /Ada|Bob|Reader/);
  const found = [ada, bob, again].map(({ token }) => findApprover(approvers, token));
  assert.deepEqual(
    found.map((one) => one?.principal),
    [ada, bob, again].map(({ identity }) => `token:${identity.id}`),
  );
  assert.equal(found[0]?.holder, found[2]?.holder);
  assert.notEqual(found[0]?.holder, found[1]?.holder);
  assert.equal(findApprover(approvers, reader.token), null);
  assert.equal(findApprover(approvers, `${ada.token}x`), null);
});
