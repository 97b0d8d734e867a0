/** Erasures in one vault and in several: what goes, what stays, who is refused, and what is said of it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isAboutName, verifyCertificate } from "@strongroom/vault";
import type { Scope } from "@strongroom/vault";
import { auditedVault } from "../support/audited-vault.ts";
import { rejectsWith } from "../support/errors.ts";
import { erasureOf, Stopping } from "./support/erasing.ts";

const at = (id: string, collection = "people") => ({ collection, id });
const ADA = "ada@example.com";

for (const scope of ["record", "subject", "tenant"] satisfies Scope[])
  describe(`in ${scope} scope`, () => {
    const collections = { people: { scope }, hidden: { scope, ids: "sealed" } } as const;

    test("rows, keys and the name go, in both stores; others stay; the certificate says it", async (t) => {
      const { vault, store, keyStore, entries, another } = await auditedVault(t, { collections });
      const other = await another({ collections });
      for (const n of [1, 2, 3]) await vault.put(at("1"), { n }, { subject: ADA });
      await vault.put(at("2"), { n: 1 }, { subject: ADA });
      await vault.put(at("ada's own", "hidden"), { n: 1 }, { subject: ADA });
      await vault.put(at("3"), { n: 1 }, { subject: "bob" });
      assert.equal((await other.get(at("1"))).document["n"], 3, "the other process has her key");
      const result = await erasureOf(vault).erase(ADA, { reason: "art-17", ticket: "T-7" });
      assert.equal(result.state, "erased");
      const { facts, vault: id } = verifyCertificate(result.certificate ?? "", result.key);
      assert.equal(facts.records, 3);
      assert.equal(facts.person, result.person);
      assert.deepEqual(facts.scopes, [scope]);
      assert.equal(facts.keys, scope === "record" ? 0 : 1);
      assert.ok(
        isAboutName({ vault: id, facts }, Buffer.from(result.salt ?? "", "base64url"), {
          name: ADA,
          tenant: "default",
        }),
      );
      assert.ok(!isAboutName({ vault: id, facts }, Buffer.alloc(32), { name: ADA, tenant: "default" }));
      const remains = new Map(facts.remains.map(({ what, diesWith }) => [what, diesWith]));
      assert.equal(remains.get("record-scope-messages"), scope === "record" ? "never" : undefined);
      assert.equal(remains.get("messages-in-copies"), scope === "record" ? undefined : "key");
      assert.deepEqual(await store.subjects.records(result.person, { after: null, limit: 9 }), []);
      assert.equal((await store.subjects.get([result.person]))[0]?.state, "erased");
      assert.deepEqual(await keyStore.keys.erased([result.person]), [true]);
      assert.deepEqual(await keyStore.keys.names([result.person]), [null]);
      for (const each of [vault, other]) {
        for (const place of [at("1"), at("2"), at("ada's own", "hidden")])
          await rejectsWith("record-absent", () => each.get(place));
        assert.equal((await each.get(at("3"))).subject, "bob");
        assert.equal(await each.subjects.state(ADA), null);
      }
      const told = (await entries("erase")).map(({ result: came }) => came);
      assert.deepEqual(told, ["begun", "done"]);
      assert.equal((await entries("remove")).length, 3);
      assert.ok(!JSON.stringify(await entries("erase", "remove")).includes("T-7"), "a ticket lies sealed");
      assert.deepEqual((await vault.verify()).verdict, "whole");
    });
  });

test("of somebody who is being erased the next hot read of another process is refused", async (t) => {
  const stopping = new Stopping("keys");
  const { vault, another } = await auditedVault(t, { alter: stopping.alter });
  const other = await another();
  await vault.put(at("1"), { n: 1 }, { subject: ADA });
  await other.get(at("1"));
  const half = await erasureOf(vault).erase(ADA, { reason: "art-17" });
  assert.deepEqual([half.state, half.step, half.problem, half.certificate], ["erasing", "tags", "store-failed", null]);
  await rejectsWith("subject-erased", () => other.get(at("1")));
  await rejectsWith("subject-erased", () => other.put(at("1"), { n: 2 }));
  await rejectsWith("certificate-absent", () => erasureOf(other).certificate(half.person));
  assert.deepEqual(
    (await erasureOf(other).underWay()).map(({ person, step }) => [person, step]),
    [[half.person, "tags"]],
  );
  assert.deepEqual(await erasureOf(other).resume(), [half.person]);
  await rejectsWith("record-absent", () => other.get(at("1")));
  assert.deepEqual(await erasureOf(vault).underWay(), []);
});

const STEPS = ["people", "tags", "keys", "records", "space", "done", "end"] as const;
for (const step of STEPS)
  for (const isAnswerLost of [false, true])
    test(`an erasure that stops at ${step}${isAnswerLost ? ", noted or not" : ""} goes on in another process`, async (t) => {
      const stopping = new Stopping(step);
      stopping.isAnswerLost = isAnswerLost;
      const { vault, another, store, keyStore, entries } = await auditedVault(t, { alter: stopping.alter });
      const other = await another();
      await vault.put(at("1"), { n: 1 }, { subject: ADA });
      await vault.put(at("1"), { n: 2 }, { subject: ADA });
      const half = await erasureOf(vault).erase(ADA, { reason: "art-17" });
      // Before the first step it is not stopped: there is no erasure yet.
      if (step !== "people") assert.equal(half.state, "erasing");
      await erasureOf(other).resume();
      const certificate = await erasureOf(other).certificate(half.person);
      const { facts } = verifyCertificate(certificate, half.key);
      assert.deepEqual([facts.records, facts.keys], [1, 1], "it says what there was, whoever ends it");
      assert.equal((await store.subjects.get([half.person]))[0]?.state, "erased");
      assert.deepEqual(await keyStore.keys.erased([half.person]), [true]);
      assert.deepEqual(await store.subjects.records(half.person, { after: null, limit: 9 }), []);
      assert.deepEqual(await store.notes.list("person/"), []);
      const done = (await entries("erase")).filter(({ result }) => result === "done");
      assert.equal(new Set(done.map(({ details }) => details?.["certificate"])).size, 1, "one certificate is said");
      assert.deepEqual(await erasureOf(vault).resume(), []);
    });

test("who is not known, was erased before, or comes twice at once", async (t) => {
  const { vault, another, entries } = await auditedVault(t);
  const erasure = erasureOf(vault);
  await rejectsWith("subject-absent", () => erasure.erase("nobody", { reason: "art-17" }));
  assert.deepEqual(
    (await entries("erase")).map(({ result }) => result),
    ["subject-absent"],
  );
  await rejectsWith("reason-invalid", () => erasure.erase("nobody", { reason: "She asked us to" }));
  await vault.subjects.restrict("only restricted");
  const restricted = await erasure.erase("only restricted", { reason: "art-17" });
  assert.equal(verifyCertificate(restricted.certificate ?? "", restricted.key).facts.records, 0);
  await vault.put(at("1"), { n: 1 }, { subject: ADA });
  const other = await another();
  const results = await Promise.all(
    [vault, other, vault, other].map((each) =>
      erasureOf(each)
        .erase(ADA, { reason: "art-17" })
        .catch((error: unknown) => error as { code: string }),
    ),
  );
  const done = results.filter((one) => "state" in one);
  assert.ok(done.length >= 1);
  for (const one of results) if (!("state" in one)) assert.equal(one.code, "subject-absent");
  assert.equal(new Set(done.map(({ certificate }) => certificate)).size, 1, "of one erasure there is one certificate");
  assert.equal(done.filter(({ salt }) => salt !== null).length <= 1, true);
  const { person, certificate } = done[0]!;
  const again = await erasure.erase({ person }, { reason: "art-17" });
  assert.deepEqual([again.certificate, again.salt], [certificate, null]);
  assert.equal(await erasure.certificate(person), certificate);
  await rejectsWith("subject-absent", () => erasure.erase(ADA, { reason: "art-17" }));
  // Who returns is somebody new.
  await vault.put(at("1"), { n: 9 }, { subject: ADA });
  assert.equal((await other.get(at("1"))).document["n"], 9);
});

test("records that are about others too refuse it, also those that were only once; nobody stays closed", async (t) => {
  const { vault } = await auditedVault(t);
  await vault.put(at("1"), { n: 1 }, { subject: ADA });
  await vault.put(at("2"), { n: 1 }, { subject: "bob", about: [ADA] });
  await vault.put(at("3"), { n: 1 }, { subject: ADA });
  await vault.put(at("3"), { n: 2 }, { subject: "bob", repoint: true });
  await assert.rejects(erasureOf(vault).erase(ADA, { reason: "art-17" }), {
    code: "subject-shared",
    message: /^2 records/,
  });
  assert.equal((await vault.get(at("1"))).subject, ADA);
  await vault.remove(at("2"));
  await vault.remove(at("3"));
  assert.equal((await erasureOf(vault).erase(ADA, { reason: "art-17" })).state, "erased");
});
