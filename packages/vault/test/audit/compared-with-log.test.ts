/**
 * Records compared with what the log knows: hands in the database, and every order in which readers, writers and the
 * sequencer may come.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import type { VaultErrorCode } from "@strongroom/vault";
import { memoryAuditLog, MemoryStorage } from "@strongroom/vault/memory";
import type { ReleasedRead } from "../../src/audit/auditor.ts";
import { parseSubject } from "../../src/records/address.ts";
import { newPeople } from "../../src/store-contract/people.ts";
import { at } from "../../src/store-contract/changes.ts";
import type { AuditLog } from "../../src/stores/audit-log.ts";
import { tablesOf } from "../../src/stores/memory/memory-storage.ts";
import { recordKey } from "../../src/stores/memory/tables.ts";
import type { RecordRow } from "../../src/stores/memory/tables.ts";
import { audited } from "../support/audited.ts";
import type { Audited, AuditedOptions } from "../support/audited.ts";
import { rejectsWith } from "../support/errors.ts";

interface Histories extends Audited {
  /** The record's row as it is now, to be put back; undefined: there is none. */
  readonly copy: (id: string) => RecordRow | undefined;
  readonly put: (id: string, row: RecordRow | undefined) => void;
  readonly person: ReturnType<typeof newPeople>[number];
}

async function histories(t: Parameters<typeof audited>[0], options: AuditedOptions = {}): Promise<Histories> {
  const storage = new MemoryStorage();
  const audit = await audited(t, { ...options, storage });
  const { records } = tablesOf(storage);
  const [person] = newPeople(1);
  return {
    ...audit,
    person: person!,
    copy: (id) => records.get(recordKey(at(id))),
    put: (id, row) => {
      if (row === undefined) records.delete(recordKey(at(id)));
      else records.set(recordKey(at(id)), row);
    },
  };
}

/** As it was before the audit. */
function withoutEntry(row: RecordRow): RecordRow {
  return Object.fromEntries(Object.entries(row).filter(([name]) => name !== "entry")) as unknown as RecordRow;
}

const released = async ({ auditor, read }: Audited, id = "a", version?: number): Promise<string> =>
  auditor.released("read", [await read(id, version)]);

const refused = async (audit: Audited, code: VaultErrorCode, id = "a", version?: number): Promise<void> => {
  const before = (await audit.waiting()).length;
  const read = await audit.read(id, version);
  await rejectsWith(code, () => audit.auditor.released("read", [read]));
  await rejectsWith(code, () => audit.auditor.requireNewest([read]));
  assert.equal((await audit.waiting()).length, before, "no entry says that it was given out");
  assert.deepEqual(audit.alarms.slice(-2), [code, code]);
};

/** Where the entries are when the hand comes. */
const CARRIED = { "in the log": 1_000, "on their way": 0 } as const;

for (const [where, limit] of Object.entries(CARRIED))
  describe(`with entries ${where}`, () => {
    const carried = async (audit: Audited): Promise<void> => {
      await audit.adopted();
      await audit.carry(limit);
    };

    test("what was written and not touched is given out: any version, a list without messages, nothing", async (t) => {
      const audit = await histories(t);
      for (let n = 0; n < 3; n++) await audit.write("a", [audit.person]);
      await audit.write("gone", [audit.person]);
      await audit.remove("gone");
      await carried(audit);
      for (const version of [undefined, 1, 2, 3]) assert.equal(await released(audit, "a", version), "released");
      const read = await audit.read("a");
      assert.equal(await audit.auditor.released("list", [{ ...read, message: null }]), "released");
      const absent = await Promise.all([audit.read("gone"), audit.read("never")]);
      assert.equal(await audit.auditor.requireNewest(absent), "newest");
    });

    test("a record that is set back with all its rows", async (t) => {
      const audit = await histories(t);
      await audit.write("a", [audit.person]);
      const before = audit.copy("a");
      await audit.write("a", [audit.person]);
      await carried(audit);
      audit.put("a", before);
      await refused(audit, "record-rolled-back");
    });

    test("a removal undone, and a record written again after it set back to before it", async (t) => {
      const audit = await histories(t);
      await audit.write("a", [audit.person]);
      const before = audit.copy("a");
      await audit.remove("a");
      const tombstone = audit.copy("a");
      await carried(audit);
      audit.put("a", before);
      await refused(audit, "record-rolled-back");
      audit.put("a", tombstone);
      await audit.write("a", [audit.person]);
      await carried(audit);
      audit.put("a", before);
      await refused(audit, "record-rolled-back");
      audit.put("a", tombstone);
      await rejectsWith("record-rolled-back", async () => audit.auditor.requireNewest([await audit.read("a")]));
    });

    test("versions of before a removal put back below what was written after it", async (t) => {
      const audit = await histories(t);
      await audit.adopted();
      await audit.write("a", [audit.person]);
      await audit.carry();
      const before = audit.copy("a")!;
      await audit.remove("a");
      await audit.write("a", [audit.person]);
      await audit.carry(limit);
      const row = audit.copy("a")!;
      audit.put("a", { ...row, versions: [...before.versions, ...row.versions] });
      await refused(audit, "record-rolled-back", "a", 1);
      assert.equal(await released(audit, "a", 3), "released");
    });

    test("rows that are gone, and a tombstone that nobody made", async (t) => {
      const audit = await histories(t);
      await audit.write("a", [audit.person]);
      await carried(audit);
      const row = audit.copy("a")!;
      audit.put("a", undefined);
      await refused(audit, "record-tampered");
      audit.put("a", { ...row, head: { ...row.head, state: "removed" }, versions: [] });
      await refused(audit, "record-tampered");
    });

    test("a message of another time under the same number, and one of another version", async (t) => {
      const audit = await histories(t);
      await audit.write("a", [audit.person], "one");
      await audit.write("a", [audit.person], "two");
      await carried(audit);
      const row = audit.copy("a")!;
      const [one, two] = row.versions;
      audit.put("a", { ...row, versions: [one!, { ...two!, message: one!.message }] });
      await refused(audit, "record-rolled-back");
      assert.equal(await released(audit, "a", 1), "released");
      audit.put("a", { ...row, versions: [{ ...one!, message: two!.message }, two!] });
      await refused(audit, "record-rolled-back", "a", 1);
    });

    test("a record that nobody of the vault wrote, and one with a version too many", async (t) => {
      const audit = await histories(t);
      await audit.write("a", [audit.person]);
      await carried(audit);
      audit.put("b", audit.copy("a"));
      await refused(audit, "record-tampered", "b");
      const row = audit.copy("a")!;
      const next = { ...row.versions[0]!, version: 2 as never };
      audit.put("a", { ...row, head: { ...row.head, version: 2 as never }, versions: [...row.versions, next] });
      await refused(audit, "record-tampered");
    });

    test("a head that names another entry than the one that wrote it, or none", async (t) => {
      const audit = await histories(t);
      await audit.write("a", [audit.person]);
      await carried(audit);
      const row = audit.copy("a")!;
      for (const other of [{ ...row, entry: randomUUID() as never }, withoutEntry(row)]) {
        audit.put("a", other);
        await refused(audit, "record-rolled-back");
      }
    });

    test("a repair's message is known beside the one that it replaces", async (t) => {
      const audit = await histories(t);
      await audit.write("a", [audit.person], "as it was written");
      await carried(audit);
      const read = await audit.read("a");
      const message = Buffer.from("as it was wrapped anew");
      await audit.auditor.rewrap({ ...read, message });
      await audit.carry(limit);
      assert.equal(await released(audit), "released", "the repair has not put it there yet");
      const row = audit.copy("a")!;
      audit.put("a", { ...row, versions: [{ ...row.versions[0]!, message }] });
      assert.equal(await released(audit), "released");
      audit.put("a", { ...row, versions: [{ ...row.versions[0]!, message: Buffer.from("another") }] });
      await refused(audit, "record-rolled-back");
    });
  });

test("an entry in the outbox that this vault did not make explains nothing", async (t) => {
  const audit = await histories(t);
  await audit.adopted();
  await audit.write("a", [audit.person]);
  const before = audit.copy("a");
  await audit.carry();
  await audit.write("a", [audit.person]);
  audit.put("a", before);
  const rows = await audit.store.outbox.take(10);
  await audit.store.outbox.drop(rows.map(({ position }) => position));
  // The newest write is gone from the outbox as well: only the sequencer sees that, by the number that is missing.
  assert.equal(await released(audit), "released");
  for (const { text, mac, ...row } of rows) {
    const stream = randomUUID() as never;
    const forged = { ...row, stream, number: 1, text, mac: Buffer.from(mac).fill(0) };
    await audit.store.outbox.append([forged], []);
  }
  assert.equal(await released(audit), "released");
});

test("an authentic entry that is put into the outbox once more brings no older record back", async (t) => {
  const audit = await histories(t);
  await audit.adopted();
  await audit.write("a", [audit.person]);
  const before = audit.copy("a");
  const rows = await audit.store.outbox.take(10);
  await audit.carry();
  await audit.write("a", [audit.person]);
  await audit.carry();
  for (const row of rows) await audit.store.outbox.append([{ ...row, stream: randomUUID() as never, number: 1 }], []);
  audit.put("a", before);
  const read = await audit.read("a");
  await rejectsWith("record-rolled-back", () => audit.auditor.released("read", [read]));
});

for (const call of ["pending", "latest"] as const)
  test(`entries that go to the log just before ${call} is asked are not missed`, async (t) => {
    let carry = (): Promise<void> => Promise.resolve();
    const inner = memoryAuditLog();
    const log: AuditLog = {
      ...inner,
      latest: async (queries) => {
        if (call === "latest") await carry();
        return inner.latest(queries);
      },
    };
    const audit = await histories(t, {
      log,
      outbox: (outbox) => ({
        pending: async (tags) => {
          if (call === "pending") await carry();
          return outbox.pending(tags);
        },
      }),
    });
    await audit.adopted();
    carry = () => audit.carry();
    for (let n = 0; n < 3; n++) {
      await audit.write("a", [audit.person]);
      assert.equal(await released(audit), "released");
    }
    assert.deepEqual(audit.alarms, []);
  });

test("a version of before people had ids is given out, also when its name looks like an id", async (t) => {
  const audit = await histories(t);
  await audit.adopted();
  await audit.write("a", [audit.person]);
  const row = audit.copy("a")!;
  const old = row.versions.map((version) => ({ ...version, scheme: 1 as const, subject: parseSubject(randomUUID()) }));
  audit.put("a", { ...row, versions: old });
  assert.equal(await released(audit), "released");
});

describe("before everything was adopted", () => {
  test("a record that the log does not know is taken as it is, and not any more afterwards", async (t) => {
    const audit = await histories(t);
    await audit.write("a", [audit.person]);
    const row = audit.copy("a")!;
    const rows = await audit.store.outbox.take(10);
    await audit.store.outbox.drop(rows.map(({ position }) => position));
    audit.put("a", withoutEntry(row));
    assert.equal(await released(audit), "released");
    await audit.adopted();
    await refused(audit, "record-tampered");
  });

  test("its older versions stay readable when it was written again, and its newest is held to its entry", async (t) => {
    const audit = await histories(t);
    await audit.write("a", [audit.person], "old");
    audit.put("a", withoutEntry(audit.copy("a")!));
    const rows = await audit.store.outbox.take(10);
    await audit.store.outbox.drop(rows.map(({ position }) => position));
    await audit.write("a", [audit.person], "new");
    for (const limit of [0, 1_000]) {
      await audit.carry(limit);
      for (const version of [1, 2]) assert.equal(await released(audit, "a", version), "released");
      const row = audit.copy("a")!;
      const [one, two] = row.versions;
      audit.put("a", { ...row, versions: [one!, { ...two!, message: one!.message }] });
      await refused(audit, "record-rolled-back");
      audit.put("a", row);
    }
  });
});

test("a log that cannot be asked gives nothing out, and everything again afterwards", async (t) => {
  let isBroken = false;
  const audit = await histories(t);
  const broken = await audited(t, {
    auditor: {
      store: audit.store,
      keyStore: audit.keyStore,
      keys: audit.keys,
      log: {
        find: (query, page) => audit.log.find(query, page),
        positions: (ids) => audit.log.positions(ids),
        state: () => audit.log.state(),
        latest: (queries) => (isBroken ? Promise.reject(new Error("gone")) : audit.log.latest(queries)),
      },
    },
  });
  await audit.write("a", [audit.person]);
  const read = await audit.read("a");
  isBroken = true;
  await Promise.all(
    Array.from({ length: 50 }, () => rejectsWith("audit-unavailable", () => broken.auditor.released("read", [read]))),
  );
  isBroken = false;
  assert.equal(await broken.auditor.released("read", [read]), "released");
});

test("no order of writers, readers and the sequencer makes an honest record a wrong one", async (t) => {
  const audit = await histories(t);
  await audit.adopted();
  let isOver = false;
  const told = { released: 0, overtaken: 0 };
  const pause = async (): Promise<void> => {
    for (let n = Math.floor(Math.random() * 6); n > 0; n--) await (n % 2 === 0 ? null : new Promise(setImmediate));
  };
  const reader = async (): Promise<void> => {
    while (!isOver) {
      await pause();
      const read: ReleasedRead = await audit.read("a");
      if (read.rows.head?.state !== "live") {
        await audit.auditor.requireNewest([read]);
        continue;
      }
      await pause();
      told[await audit.auditor.released("read", [read])]++;
    }
  };
  const sequencer = async (): Promise<void> => {
    while (!isOver) {
      await pause();
      await audit.carry(1 + Math.floor(Math.random() * 5));
    }
  };
  const running = [...Array.from({ length: 8 }, reader), sequencer()];
  for (let n = 0; n < 300; n++) {
    if (n % 17 === 16) await audit.remove("a");
    else await audit.write("a", [audit.person]);
    await pause();
  }
  isOver = true;
  await Promise.all(running);
  assert.deepEqual(audit.alarms, []);
  assert.ok(told.released > 50, JSON.stringify(told));
});
