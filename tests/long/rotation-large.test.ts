// Large rotations beside live traffic: how many items a second, how many calls an item, how much is written and held.
// The figures are printed. `STRONGROOM_ROTATED=100000` and `STRONGROOM_ROTATED_TENANT=1000000` are the whole size, some
// hours on two cores; without them it is a fiftieth. `STRONGROOM_ROTATED_SCOPES` picks among the scopes, and
// `STRONGROOM_ROTATED_WORKERS` (1, 2, or `1,2`: one rotation after the other) says how many processes work. In record
// scope the second of two rotations has what was written during the first, too.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { postgresKeyStore } from "@strongroom/vault/postgres";
import type { Scope } from "@strongroom/vault";
import { temporaryFolder } from "../support/faults/folder.ts";
import type { KeyedPlace } from "../support/faults/keyed-place.ts";
import { poolOf, preparePlace } from "../support/faults/place.ts";
import { startPostgres } from "../support/postgres/server.ts";
import type { RotationFigures } from "../support/rotation/large-rotation.ts";
import { largeRotation } from "../support/rotation/large-rotation.ts";

const PEOPLE = Number(process.env["STRONGROOM_ROTATED"] ?? 2_000);
const TENANT = Number(process.env["STRONGROOM_ROTATED_TENANT"] ?? 20_000);
const SIZES: Readonly<Record<Scope, number>> = { subject: PEOPLE, record: PEOPLE, tenant: TENANT };
const WORKERS = (process.env["STRONGROOM_ROTATED_WORKERS"] ?? "1,2").split(",").map(Number);
const SCOPES = (process.env["STRONGROOM_ROTATED_SCOPES"] ?? "subject,record,tenant").split(",") as readonly Scope[];

for (const scope of SCOPES) {
  test(`${SIZES[scope]} people in ${scope} scope go to other keys, in SQLite`, async (t) => {
    const folder = await temporaryFolder(t);
    const file = (name: string): KeyedPlace["records"] => ({ kind: "sqlite", path: join(folder, `${name}.sqlite`) });
    await held(t, scope, { folder, place: { records: file("records"), keys: file("keys") } });
  });

  test(`${SIZES[scope]} people in ${scope} scope go to other keys, in PostgreSQL`, async (t) => {
    const folder = await temporaryFolder(t);
    const server = await startPostgres(t);
    const database = async (): Promise<KeyedPlace["records"]> => ({
      kind: "postgres",
      url: await server.createDatabase(),
      connections: 16,
    });
    const place = { records: await database(), keys: await database() };
    await preparePlace(place.records);
    if (place.keys.kind === "postgres")
      await (await postgresKeyStore(poolOf(place.keys), { migrate: true, endPool: true })).close();
    await held(t, scope, { folder, place });
  });
}

/** Calls of one rotation in tenant scope: the tenant's key and the vault's own. */
const FEW_CALLS = 100;
/** Keys of the vault itself, which are rotated too. */
const OWN_KEYS = 2;

async function held(
  t: TestContext,
  scope: Scope,
  where: { readonly folder: string; readonly place: KeyedPlace },
): Promise<void> {
  const people = SIZES[scope];
  let rotations = 0;
  for await (const figures of largeRotation(t, { ...where, scope, people, workers: WORKERS })) {
    rotations += 1;
    t.diagnostic(text(figures));
    assert.equal(figures.live.failed, 0, "live calls that failed");
    if (scope === "tenant") assert.ok(figures.calls < FEW_CALLS, `${figures.calls} calls`);
    else assert.ok(figures.items >= people + OWN_KEYS, `${figures.items} items`);
  }
  assert.equal(rotations, WORKERS.length);
}

function text(figures: RotationFigures): string {
  const { workers, items, seconds, calls, allCalls, forecast, bytesAnItem, residentMiB, live } = figures;
  const [first, most] = residentMiB;
  return [
    `${workers} worker(s): ${items} items in ${seconds.toFixed(1)} s, ${(items / seconds).toFixed(0)} a second`,
    `KMS calls ${calls}, foreseen ${forecast}, with those of live traffic ${allCalls}`,
    `${bytesAnItem.toFixed(0)} bytes written an item, ${first} MiB resident before and ${most} at most`,
    `live: ${live.done} calls, ${live.perSecond.toFixed(0)} a second, p50 ${live.p50Ms.toFixed(0)} ms`,
    `p99 ${live.p99Ms.toFixed(0)} ms`,
  ].join("; ");
}
