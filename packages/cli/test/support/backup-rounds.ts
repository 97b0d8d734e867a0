// For tests: rounds of a backup of a vault that is written and read meanwhile, and of its restore.
import assert from "node:assert/strict";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay, setImmediate } from "node:timers/promises";
import { isVaultError } from "@strongroom/vault";
import { comparePeople } from "../../src/doctor/people.ts";
import { backUp, copyBackup, filesVault, type FilesVault } from "./backup.ts";
import { temporaryFolder } from "./installation.ts";

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
        // Every other one is of somebody new, whose key is made just now.
        const id = `${writer}-${number % 2 === 0 ? number : number % 7}`;
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

/**
 * Each time: what was acknowledged before the cut is restored, no alarm is raised, the audit is whole; and a copy that
 * nobody restored is refused.
 */
export async function backupRounds(rounds: number): Promise<void> {
  await using folder = await temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  const witness = at("witness");
  const live = await filesVault(at("live"), { witness });
  const load = new Load(live);
  try {
    while (load.acknowledged.size < 5 || load.reads < 5) await setImmediate();
    for (let round = 0; round < rounds; round++) {
      const before = new Map(load.acknowledged);
      await backUp(live, at("live"), at(`backup-${round}`));
      // A copy is set back only as soon as the witness has seen more than it can hold.
      const size = (await live.vault.audit?.status())?.size ?? 0;
      while (sizeSeen(witness) <= size) await delay(20);
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
}

/** Of the checkpoint, a note, that a witness has. */
const sizeSeen = (witness: string): number => Number(readFileSync(witness, "utf8").split("\n")[1]);

export const isSetBack = (error: unknown): boolean => isVaultError(error) && error.code === "store-rolled-back";

async function assertWhole(opened: FilesVault, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  const { vault, alarms } = opened;
  try {
    for (const [id, number] of acknowledged) {
      const { document } = await vault.get({ collection: "people", id });
      assert.ok(Number(document["number"]) >= number, `${id} is older than what was acknowledged`);
    }
    const { subjects } = opened.stores.records;
    const people = { subjects, keys: opened.stores.keys.keys };
    const { keyless } = await comparePeople(people, { signal: new AbortController().signal });
    assert.deepEqual(keyless, [], "the keys are older than the records");
    await vault.put({ collection: "people", id: "new" }, { number: 0 }, { subject: "somebody new" });
    await vault.audit?.sequence();
    assert.deepEqual((await vault.audit?.verify())?.problems, []);
    assert.deepEqual(alarms, []);
  } finally {
    await opened.close();
  }
}
