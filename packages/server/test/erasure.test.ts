/** Erasures and holds over HTTP: whom they refuse, and what the answers have. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@strongroom/client";
import { verifyCertificate } from "@strongroom/vault";
import { auditedVault } from "../../vault/test/support/audited-vault.ts";
import { call } from "./support/http.ts";
import { installation } from "./support/installation.ts";

test("a person is held, released and erased, by name in a body and by the opaque id", async (t) => {
  const { vault } = await auditedVault(t);
  const { origin, token, log } = await installation(t, { front: () => vault });
  for (const subject of ["ada@example.com", "bob@example.com"])
    await vault.put({ collection: "people", id: subject.slice(0, 3) }, { n: 1 }, { subject });
  const client = createClient({ url: origin, token: token.admin });
  const hold = await client.erasure.hold({ subject: "ada@example.com", reason: "litigation" });
  await assert.rejects(client.erasure.erase({ subject: "ada@example.com", reason: "art-17" }), {
    code: "subject-held",
  });
  assert.deepEqual(
    (await client.erasure.holds()).map(({ id }) => id),
    [hold.id],
  );
  assert.equal((await client.erasure.liftHold(hold.id, "settled")).id, hold.id);
  await assert.rejects(client.erasure.liftHold(hold.id, "settled"), { code: "hold-absent" });
  const erased = await client.erasure.erase({ subject: "ada@example.com", reason: "art-17" });
  assert.equal(verifyCertificate(erased.certificate ?? "", erased.key).facts.records, 1);
  assert.deepEqual(await client.erasure.certificate(erased.person), {
    certificate: erased.certificate,
    key: erased.key,
  });
  await assert.rejects(client.erasure.erase({ subject: "ada@example.com", reason: "art-17" }), {
    code: "subject-absent",
  });
  assert.deepEqual(await client.erasure.underWay(), []);
  const bob = await client.erasure.hold({ subject: "bob@example.com", reason: "tax" });
  const again = await client.erasure.holdPerson(bob.person, "litigation");
  assert.equal(again.person, bob.person);
  await assert.rejects(client.erasure.holdPerson("00000000-0000-4000-8000-000000000000", "tax"), {
    code: "subject-absent",
  });
  for (const { id } of [bob, again]) await client.erasure.liftHold(id, "settled");
  assert.equal((await client.erasure.erasePerson(bob.person, "art-17")).state, "erased");
  for (const scope of ["read", "write", "audit"] as const) {
    const body = { subject: "eve", reason: "art-17" };
    const { status } = await call(origin, "/v1/subjects/erase", { method: "POST", token: token[scope], body });
    assert.equal(status, 403, scope);
  }
  const { status } = await call(origin, `/v1/subjects/${encodeURIComponent("ada@example.com")}`, {
    method: "DELETE",
    token: token.admin,
    body: { reason: "art-17" },
  });
  assert.ok(status === 400 || status === 422 || status === 404, `a name is no path: ${status}`);
  assert.ok(!log().includes("bob@example.com"));
});
