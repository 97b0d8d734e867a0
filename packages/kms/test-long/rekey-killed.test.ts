// kill -9 at random moments of a re-keying: the database opens with exactly one of the two root keys, the server finds
// it by itself, and every key is there.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { KMS } from "@aws-sdk/client-kms";
import { createKms, seedDataDir, verifyAudit } from "@strongroom/kms";
import { temporaryDirectory } from "../test/running-kms.ts";

const ROUNDS = Number(process.env["STRONGROOM_REKEY_KILLS"] ?? 40);
const KEYS = 2000;
const AROUND_COMMIT_MS = 60;
const BIN = join(import.meta.dirname, "../bin/strongroom-kms.js");

test(`a re-keying killed ${ROUNDS} times`, { timeout: 900_000 }, async (t) => {
  const dataDir = await temporaryDirectory(t);
  const file = join(dataDir, "root.key");
  const staged = `${file}.next`;
  await seedDataDir({ dataDir, seed: { keys: Array.from({ length: KEYS }, () => ({ id: randomUUID() })) } });
  const opens = (path: string): Promise<boolean> =>
    verifyAudit({ dataDir, rootKey: { kind: "file", path } }).then(
      () => true,
      () => false,
    );

  const log = join(dataDir, "kms.sqlite-wal");
  /** When the clock of a kill starts: when the new key is on the disk, or when the transaction is being written. */
  const moments = [
    () => existsSync(staged),
    () => (statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 0 && existsSync(staged),
  ];

  /** Starts a re-keying, and kills it `after` ms from a moment, if it is not done by then. */
  const rekey = async (after: number, moment = moments[0]!): Promise<number> => {
    const child = spawn(process.execPath, [BIN, "rekey", "--data-dir", dataDir], { stdio: "ignore" });
    const ended = once(child, "exit");
    while (!moment() && child.exitCode === null) await sleep(1);
    const from = performance.now();
    if (Number.isFinite(after)) {
      await Promise.race([sleep(after), ended]);
      child.kill("SIGKILL");
    }
    await ended;
    return performance.now() - from;
  };

  const whole = await rekey(Number.POSITIVE_INFINITY);
  const outcomes = { old: 0, new: 0, "new, in its place": 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const before = readdirSync(dataDir).filter((name) => name.startsWith("root.key.until-")).length;
    if (round % 2 === 0) await rekey(Math.random() * whole);
    else await rekey(Math.random() * AROUND_COMMIT_MS, moments[1]);
    const [inPlace, next] = [await opens(file), existsSync(staged) && (await opens(staged))];
    assert.notEqual(inPlace, next, "exactly one of the two keys opens the database");
    const replaced = readdirSync(dataDir).filter((name) => name.startsWith("root.key.until-")).length > before;
    outcomes[next ? "new" : replaced ? "new, in its place" : "old"] += 1;
    await using kms = await createKms({ dataDir });
    const client = new KMS(kms.clientConfig());
    const keys = await client.listKeys({ Limit: 1000 });
    const last = keys.Keys!.at(-1)!.KeyId!;
    const { CiphertextBlob, Plaintext } = await client.generateDataKey({ KeyId: last, KeySpec: "AES_256" });
    assert.deepEqual((await client.decrypt({ CiphertextBlob: CiphertextBlob! })).Plaintext, Plaintext);
    client.destroy();
    await kms.close();
    assert.equal(existsSync(staged), false);
    assert.equal((await verifyAudit({ dataDir, rootKey: { kind: "file", path: file } })).keys, KEYS);
    for (const name of readdirSync(dataDir)) if (name.startsWith("root.key.until-")) rmSync(join(dataDir, name));
  }
  t.diagnostic(
    `a whole re-keying of ${KEYS} keys took ${whole.toFixed(0)} ms; killed ones left: ${JSON.stringify(outcomes)}`,
  );
});
