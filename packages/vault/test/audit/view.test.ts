/**
 * What is asked of the log, and a person's access log, verified by the definition of the tree and not by our own code.
 */
import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import test from "node:test";
import { verifyAccessLog } from "../../src/audit/access-log.ts";
import type { Auditor } from "../../src/audit/auditor.ts";
import type { AccessLog, VaultAudit } from "../../src/audit/view.ts";
import type { SubjectId } from "../../src/stores/subjects.ts";
import { MemoryWitness } from "./support/memory-witness.ts";
import { Rig } from "./support/rig.ts";
import type { Lane, TestProcess } from "./support/rig.ts";
import { logTables } from "./support/snapshot.ts";

const ADA = "33333333-3333-4333-8333-333333333333" as string as SubjectId;
const GRACE = "44444444-4444-4444-8444-444444444444" as string as SubjectId;

/** An entry about people, sealed for each. */
async function readBy(one: TestProcess, lane: Lane, principal: string, ...people: readonly SubjectId[]): Promise<void> {
  const { keys } = one.rig;
  const id = one.nextId();
  const owners = people.map((person) => `person:${person}` as const);
  const sealers = await keys.partKeys(owners);
  const sealed = sealers.map((sealer, index) =>
    sealer.seal(id, { subject: people[index]!, records: [[`record of ${people[index]}`, 2]], ticket: "T-1" }),
  );
  const tag = "A".repeat(22);
  await one.append(lane, {
    id,
    principal,
    collection: "people",
    purpose: "support",
    records: [{ tag, version: 2 }],
    people: sealed,
  });
}

/** The view of a process; what it tells is noted. */
function viewOf(one: TestProcess): { readonly view: VaultAudit; readonly told: unknown[] } {
  const told: unknown[] = [];
  const auditor = {
    tell: async (...args: unknown[]) => void told.push(args),
  } as unknown as Auditor;
  const view = one.service.viewOf(auditor, {
    findPerson: async (name) => ({ Ada: ADA, Grace: GRACE })[name] ?? null,
    groups: () => ({ appends: 0, entries: 0 }),
  });
  return { view, told };
}

async function opened(): Promise<{ one: TestProcess; view: VaultAudit; told: unknown[] }> {
  const one = await new Rig().open({ witnesses: [new MemoryWitness()] });
  one.service.start();
  const [lane, other] = [one.lane(), one.lane()];
  for (let count = 0; count < 150; count++) {
    await readBy(one, lane, `token-${count % 3}`, ...(count % 2 === 0 ? [ADA] : [GRACE]));
    await readBy(one, other, "token-9", ADA, GRACE);
  }
  await one.sequence();
  return { one, ...viewOf(one) };
}

test("pages of events, by whom, newest and oldest first", async () => {
  const { one, view, told } = await opened();
  const all = [];
  for (let cursor: string | undefined; ;) {
    const { events, next } = await view.events({
      principal: "token-1",
      limit: 7,
      ...(cursor === undefined ? {} : { cursor }),
    });
    all.push(...events);
    if (next === null) break;
    cursor = next;
  }
  assert.equal(all.length, 50);
  assert.deepEqual(
    all.map(({ position }) => position),
    all.map(({ position }) => position).sort((a, b) => b! - a!),
  );
  const page = ["audit-read", "done", { details: { principal: "token-1" } }];
  assert.deepEqual(
    told,
    Array.from({ length: 8 }, () => page),
    "each page of it",
  );
  const [first] = (await view.events({ order: "oldest", limit: 1, principal: "token-0" })).events;
  assert.deepEqual(
    { ...first, id: null, at: null, position: null },
    {
      ...{
        position: null,
        id: null,
        at: null,
        action: "read",
        result: "done",
        principal: "token-0",
        purpose: "support",
      },
      ...{ ticket: "T-1", collection: "people", people: [ADA], kms: [], export: null, label: null, details: {} },
      records: [{ id: `record of ${ADA}`, version: 2, subject: ADA }],
    },
  );
  await assert.rejects(view.events({ cursor: "nothing" }), { code: "cursor-invalid" });
  await assert.rejects(view.events({ limit: 0 }), { code: "limit-invalid" });
  await assert.rejects(view.events({ since: "yesterday" }), { code: "vault-option-invalid" });
  await one.service.close();
});

test("who read somebody, and who asked for it", async () => {
  const { one, view, told } = await opened();
  const { events } = await view.whoRead("Ada", { limit: 500 });
  assert.equal(events.length, 225);
  assert.ok(events.every(({ people }) => people.includes(ADA)));
  assert.deepEqual(told, [["audit-read", "done", { people: [ADA] }]]);
  await assert.rejects(view.whoRead("Nobody"), { code: "subject-unknown" });
  await one.service.close();
});

test("a text of the log that was changed is not shown", async () => {
  const { one, view } = await opened();
  const { entries } = logTables(one.rig);
  const at = entries.findIndex(({ principal }) => principal === "token-1");
  entries[at] = {
    ...entries[at]!,
    text: Buffer.from(Buffer.from(entries[at]!.text!).toString().replace("token-1", "token-2")),
  };
  await assert.rejects(view.events({ principal: "token-1", order: "oldest" }), { code: "record-tampered" });
  await one.service.close();
});

test("a person's access log is theirs alone, and its proofs hold", async () => {
  const { one, view } = await opened();
  const file = JSON.parse(JSON.stringify(await view.accessLog("Ada"))) as AccessLog;
  await one.service.close();
  assert.equal(file.entries.length, 225);
  for (const { event } of file.entries) {
    assert.deepEqual(event.people, [ADA]);
    assert.deepEqual(event.records, [{ id: `record of ${ADA}`, version: 2, subject: ADA }]);
  }
  const { key } = await one.service.status();
  assert.equal(file.key, key);
  assert.deepEqual(verifyAccessLog(file, { key }).problems, []);
  verifyPlainly(file);

  const [first] = file.entries as [AccessLog["entries"][number]];
  const changed: readonly Partial<AccessLog["entries"][number]>[] = [
    { text: first.text!.replace("token-0", "token-1") },
    { event: { ...first.event, principal: "token-1" } },
    { event: { ...first.event, at: "2020-01-01T00:00:00.000Z" } },
    { proof: first.proof.replace(/index (\d+)/, (_, index) => `index ${Number(index) + 1}`) },
    { proof: file.entries[1]!.proof },
    { proof: "nothing" },
  ];
  for (const change of changed)
    assert.equal(verifyAccessLog({ ...file, entries: [{ ...first, ...change }] }, { key }).problems.length, 1);
  const forged = file.checkpoint.replace(/\n\d+\n/, "\n7\n");
  assert.deepEqual(
    verifyAccessLog({ ...file, checkpoint: forged }, { key }).problems.map(({ code }) => code),
    ["checkpoint"],
  );
  assert.throws(() => verifyAccessLog(file, { key: "nothing" }), { code: "vault-option-invalid" });
});

/** As the specifications read, with node:crypto alone: RFC 9162 (2.1.3.2), c2sp.org/signed-note, c2sp.org/tlog-proof. */
function verifyPlainly({ checkpoint, key, entries }: AccessLog): void {
  const [text, lines] = checkpoint.split(/\n\n/) as [string, string];
  const [name, , base64] = key.split("+") as [string, string, string];
  const [origin, size, root] = text.split("\n") as [string, string, string];
  assert.equal(origin, name);
  const raw = Buffer.from(
    base64 +
      key
        .split("+")
        .slice(3)
        .map((part) => `+${part}`)
        .join(""),
    "base64",
  ).subarray(1);
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]);
  const signature = Buffer.from(lines.split(" ")[2]!, "base64").subarray(4);
  assert.ok(
    verify(null, Buffer.from(`${text}\n`), createPublicKey({ key: spki, format: "der", type: "spki" }), signature),
  );
  const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  for (const entry of entries) {
    const [head, note] = entry.proof.split(/\n\n(.*)/s) as [string, string];
    const [kind, place, ...hashes] = head.split("\n") as [string, string, ...string[]];
    assert.deepEqual([kind, note], ["c2sp.org/tlog-proof@v1", checkpoint]);
    let [fn, sn] = [Number(place.replace("index ", "")), Number(size) - 1];
    let r = sha256(Buffer.of(0), Buffer.from(entry.text!, "utf8"));
    for (const p of hashes.map((one) => Buffer.from(one, "base64"))) {
      assert.notEqual(sn, 0);
      if (fn % 2 === 1 || fn === sn) {
        r = sha256(Buffer.of(1), p, r);
        while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1];
      } else {
        r = sha256(Buffer.of(1), r, p);
      }
      [fn, sn] = [fn >> 1, sn >> 1];
    }
    assert.equal(sn, 0);
    assert.equal(r.toString("base64"), root);
  }
}

test("how the audit is", async () => {
  const { one, view } = await opened();
  const before = await view.status();
  assert.equal(before.waiting, 0);
  assert.deepEqual(before.alarms, []);
  const [only] = before.witnesses;
  assert.equal(only?.name, "the witness");
  await one.service.close();
  const after = await view.status();
  assert.equal(after.published, after.size);
  assert.deepEqual(after.witnesses, [{ name: "the witness", state: "current", size: after.size }]);
  assert.deepEqual((await view.verify()).problems, []);
  assert.equal(await view.checkpoint(), (await one.stores.log.state()).checkpoint);
});
