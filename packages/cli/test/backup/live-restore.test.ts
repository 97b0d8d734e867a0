// Backups of a vault that is written and read meanwhile: what is restored of them has everything that was acknowledged
// before the cut, raises no alarm, and is whole. A copy that nobody restored is refused by the witness.
import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { isVaultError } from "@strongroom/vault";
import { checkBackup } from "../../src/backup/check-backup.ts";
import { backUp, CONTEXT, copyBackup, filesVault, type FilesVault } from "../support/backup.ts";
import { temporaryFolder } from "../support/installation.ts";

/** Rounds of a backup and its restore. */
const ROUNDS = 20;
const WRITERS = 3;
const READERS = 2;

/** Writers and readers, until they are ended. */
class Load {
  /** Id -> the newest number that was acknowledged. */
  readonly acknowledged = new Map<string, number>();
  reads = 0;
  #isOver = false;
  readonly #work: Promise<void>[];

  constructor({ vault }: FilesVault) {
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let number = 1; !this.#isOver; number++) {
        const id = `${writer}-${number % 7}`;
        await vault.put({ collection: "people", id }, { number }, { subject: `person-${id}` });
        this.acknowledged.set(id, number);
      }
    });
    const readers = Array.from({ length: READERS }, async () => {
      while (!this.#isOver) {
        const [id] = [...this.acknowledged.keys()];
        if (id !== undefined) await vault.get({ collection: "people", id });
        this.reads++;
        await setImmediate();
      }
    });
    this.#work = [...writers, ...readers];
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#work);
  }
}

test(`a backup beside readers and writers brings everything back that was acknowledged before it, ${ROUNDS} times`, async () => {
  await using folder = await temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  const witness = at("witness");
  const live = await filesVault(at("live"), { witness });
  const load = new Load(live);
  try {
    while (load.acknowledged.size < 5 || load.reads < 5) await setImmediate();
    for (let round = 0; round < ROUNDS; round++) {
      const before = new Map(load.acknowledged);
      await backUp(live, at("live"), at(`backup-${round}`));
      // The restored vault has a witness that saw all that the live one's has.
      cpSync(witness, at(`witness-${round}`));
      const restored = { witness: at(`witness-${round}`) };
      const acceptRestore = await copyBackup(at(`backup-${round}`), at(`restored-${round}`));
      await assert.rejects(filesVault(at(`restored-${round}`), restored), isSetBack, "nobody restored it");
      const first = await filesVault(at(`restored-${round}`), { ...restored, acceptRestore });
      await first.vault.audit?.sequence();
      await first.close();
      await assertWhole(await filesVault(at(`restored-${round}`), restored), before);
    }
    assert.deepEqual(live.alarms, []);
  } finally {
    await load.end();
    await live.close();
  }
});

const isSetBack = (error: unknown): boolean => isVaultError(error) && error.code === "store-rolled-back";

async function assertWhole(opened: FilesVault, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  const { vault, alarms } = opened;
  try {
    for (const [id, number] of acknowledged) {
      const { document } = await vault.get({ collection: "people", id });
      assert.ok(Number(document["number"]) >= number, `${id} is older than what was acknowledged`);
    }
    await vault.put({ collection: "people", id: "new" }, { number: 0 }, { subject: "somebody new" });
    await vault.audit?.sequence();
    assert.deepEqual((await vault.audit?.verify())?.problems, []);
    assert.deepEqual(alarms, []);
  } finally {
    await opened.close();
  }
}

test("the restore is on record: the backup, its cut, and what was lost", async () => {
  await using folder = await temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  const witness = at("witness");
  const live = await filesVault(at("live"), { witness });
  await live.vault.put({ collection: "people", id: "ada" }, { name: "Ada" }, { subject: "ada" });
  const { manifest, key } = await backUp(live, at("live"), at("backup"));
  await live.vault.put({ collection: "people", id: "bob" }, { name: "Bob" }, { subject: "bob" });
  await live.close();
  assert.equal((await checkBackup(at("backup"), key, CONTEXT)).isKeyGiven, true);
  const acceptRestore = await copyBackup(at("backup"), at("restored"));
  const restored = await filesVault(at("restored"), { witness, acceptRestore });
  const { events } = (await restored.vault.audit?.events({ action: "accept-restore" })) ?? { events: [] };
  assert.equal(events.length, 1);
  const { details } = events[0] ?? { details: {} };
  assert.equal(details["reason"], "a test");
  assert.equal(details["backup"], manifest.id);
  assert.equal(details["cut"], manifest.cut.entry);
  assert.ok(Number(details["lostStreams"]) >= 0 && "witness1" in details);
  await restored.close();
  // The one that was backed up does not go on beside it.
  await assert.rejects(filesVault(at("live"), { witness }), isSetBack);
});

test("a cut of another vault, or one that is not in the log, is no reason to go on", async () => {
  await using folder = await temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  const live = await filesVault(at("live"));
  await live.vault.put({ collection: "people", id: "ada" }, { name: "Ada" }, { subject: "ada" });
  await backUp(live, at("live"), at("older"));
  await backUp(live, at("live"), at("newer"));
  await live.close();
  const other = await filesVault(at("other"), { seed: "two" });
  await backUp(other, at("other"), at("foreign"));
  await other.close();
  const acceptRestore = await copyBackup(at("older"), at("restored"));
  const newer = await copyBackup(at("newer"), at("elsewhere"));
  const foreign = await copyBackup(at("foreign"), at("foreign-copy"));
  const code = (expected: string) => (error: unknown) => isVaultError(error) && error.code === expected;
  const open = (given: typeof newer): Promise<FilesVault> => filesVault(at("restored"), { acceptRestore: given });
  await assert.rejects(open(newer), isSetBack, "the log ends before that cut");
  await assert.rejects(open(foreign), code("audit-foreign"));
  await assert.rejects(open({ ...acceptRestore, key: foreign.key }), code("audit-foreign"));
  await assert.rejects(open({ ...acceptRestore, cut: crypto.randomUUID() }), isSetBack);
  await (await open(acceptRestore)).close();
});
