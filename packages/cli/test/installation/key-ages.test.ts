import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import { watchKeyAges } from "../../src/installation/key-ages.ts";
import type { InstalledKeySet } from "../../src/installation/key-sets.ts";

const DAY_MS = 24 * 3600 * 1000;

/** A region whose key was made so many days ago, and has had its material for so many. */
function region(name: string, { made, rotated }: { readonly made: number; readonly rotated?: number }) {
  const ago = (days: number): Date => new Date(Date.now() - days * DAY_MS - 1_000);
  const client = {
    describeKey: async () => ({ KeyMetadata: { CreationDate: ago(made) } }),
    listKeyRotations: async () => ({ Rotations: rotated === undefined ? [] : [{ RotationDate: ago(rotated) }] }),
  };
  return { region: name, keyArn: `arn:aws:kms:${name}:111122223333:key/a`, client };
}

const away = {
  region: "eu-west-3",
  keyArn: "arn:aws:kms:eu-west-3:111122223333:key/a",
  client: { describeKey: () => Promise.reject(new Error("away")) },
};

test("the age of keys in force is that of their material; old ones are told, and a region that is away tells nothing", async () => {
  const lines: string[] = [];
  const logger = pino({ level: "warn" }, { write: (line: string) => lines.push(line) });
  const regions = [region("eu-west-1", { made: 400 }), region("eu-west-2", { made: 900, rotated: 30 }), away];
  const set = { regions } as unknown as InstalledKeySet;
  const watch = watchKeyAges({ inForce: () => set, period: 365, logger });
  try {
    while (watch.ages().length === 0) await delay(5);
    const ofRecords = watch.ages().filter(({ purpose }) => purpose === "records");
    assert.deepEqual(ofRecords, [
      { region: "eu-west-1", purpose: "records", days: 400, period: 365 },
      { region: "eu-west-2", purpose: "records", days: 30, period: 365 },
    ]);
    assert.equal(watch.ages().length, 4);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /"days":400.*older than their cryptoperiod/);
    assert.doesNotMatch(lines[0] ?? "", /eu-west-2/);
  } finally {
    watch.close();
  }
});
