/** Three stores that are set back together agree with each other: what a witness has seen tells. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileWitness, objectWitness, openVault, urlWitness } from "@strongroom/vault";
import type { AuditOptions, Vault, Witness } from "@strongroom/vault";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { c2spWitness } from "../../../../tests/support/c2sp-witness.ts";
import { LockedStore } from "../../../witness/test/locked-store.ts";
import { rejectsWith } from "../support/errors.ts";
import { temporaryFolder } from "../support/storage.ts";
import { aesKeyring } from "../support/vault.ts";

const ADA = { collection: "people", id: "ada" };

interface Installation {
  readonly data: string;
  readonly apart: string;
  /** A vault over the folder; what is left to tell is told when it is closed. */
  readonly open: (witnesses: readonly Witness[], audit?: Partial<AuditOptions>) => Promise<Vault>;
  /** Opens, writes so many versions, and closes. */
  readonly work: (witnesses: readonly Witness[], versions: number, audit?: Partial<AuditOptions>) => Promise<string>;
  /** Keeps the folder as it is now, to be put back. */
  readonly picture: () => () => void;
}

async function installation(t: TestContext): Promise<Installation> {
  const folder = await temporaryFolder(t);
  const [data, apart] = [join(folder, "data"), join(folder, "apart")];
  let pictures = 0;
  mkdirSync(data);
  mkdirSync(apart);
  const keyring = aesKeyring(randomBytes(32));
  const open = async (witnesses: readonly Witness[], audit: Partial<AuditOptions> = {}): Promise<Vault> =>
    openVault({
      keyring,
      store: await sqliteStore(join(data, "records.sqlite")),
      keys: { store: await sqliteKeyStore(join(data, "keys.sqlite")) },
      audit: { log: await sqliteAuditLog(join(data, "audit.sqlite")), witnesses, ...audit },
    });
  const work = async (
    witnesses: readonly Witness[],
    versions: number,
    audit: Partial<AuditOptions> = {},
  ): Promise<string> => {
    const vault = await open(witnesses, audit);
    try {
      for (let count = 0; count < versions; count++) await vault.put(ADA, { count }, { subject: "ada@example.com" });
      await vault.audit!.sequence();
      return (await vault.audit!.status()).key;
    } finally {
      await vault.close();
    }
  };
  const picture = (): (() => void) => {
    const copy = join(folder, `picture-${++pictures}`);
    cpSync(data, copy, { recursive: true });
    return () => {
      rmSync(data, { recursive: true });
      cpSync(copy, data, { recursive: true });
    };
  };
  return { data, apart, open, work, picture };
}

test("all three stores set back together are refused, whichever kind of witness there is", async (t) => {
  const service = await c2spWitness(t);
  const store = new LockedStore();
  const { data, apart, work, picture } = await installation(t);
  service.logs.push(await work([], 1));
  const kinds: Readonly<Record<string, () => Witness>> = {
    file: () => fileWitness({ path: join(apart, "checkpoint"), apartFrom: [data] }),
    url: () => urlWitness(`${service.url}#${service.vkey}`),
    object: () => objectWitness({ client: store, bucket: "checkpoints", days: 30, pauseMs: 0 }),
  };
  await work(
    Object.values(kinds).map((make) => make()),
    2,
  );
  const putBack = picture();
  await work(
    Object.values(kinds).map((make) => make()),
    3,
  );
  store.deleteAll();
  const newest = picture();
  putBack();
  await work([], 0);
  for (const [kind, make] of Object.entries(kinds)) {
    putBack();
    const error = await rejectsWith("store-rolled-back", () => work([make()], 1));
    assert.match(error.message, /the witness /, kind);
  }
  // A fork that has grown beyond what was seen.
  putBack();
  await work([], 40);
  for (const make of Object.values(kinds)) await rejectsWith("store-rolled-back", () => work([make()], 1));
  newest();
  await work(
    Object.values(kinds).map((make) => make()),
    1,
  );
});

test("a restore that is accepted is another history, from which nobody goes back behind it", async (t) => {
  const { data, apart, work, picture } = await installation(t);
  const store = new LockedStore();
  const witnesses = (): readonly Witness[] => [
    fileWitness({ path: join(apart, "checkpoint"), apartFrom: [data] }),
    objectWitness({ client: store, bucket: "checkpoints", days: 30, pauseMs: 0 }),
  ];
  await work(witnesses(), 2);
  const putBack = picture();
  await work(witnesses(), 3);
  putBack();
  await rejectsWith("store-rolled-back", () => work(witnesses(), 1));
  await work(witnesses(), 1, { acceptRestore: "the disk of Tuesday" });
  await work(witnesses(), 1);
  putBack();
  for (const witness of witnesses()) await rejectsWith("store-rolled-back", () => work([witness], 1));
});

test("a witness that is away keeps no vault from opening, and whoever asks is told", async (t) => {
  const { data, apart, open, work } = await installation(t);
  const witness = (): Witness => fileWitness({ path: join(apart, "not-mounted", "checkpoint"), apartFrom: [data] });
  await work([witness()], 1);
  const vault = await open([witness()]);
  const [status] = (await vault.audit!.status()).witnesses;
  await vault.close();
  assert.deepEqual([status?.name, status?.state], [witness().name, "away"]);
  mkdirSync(join(apart, "not-mounted"));
  await work([witness()], 1);
  const again = await open([witness()]);
  const [found] = (await again.audit!.status()).witnesses;
  await again.close();
  assert.notEqual(found?.state, "away");
});
