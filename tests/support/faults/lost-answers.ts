/**
 * Writers whose requests, or the answers to them, are lost on the way: what they are told, against what is stored.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { isVaultError, openVault, type Vault } from "@strongroom/vault";
import { postgresStore } from "@strongroom/vault/postgres";
import { defer } from "../defer.ts";
import type { PostgresServer } from "../postgres/server.ts";
import { keyringOf, newTestKey } from "./keys.ts";
import { poolOf, preparePlace } from "./place.ts";
import { type Fate, WireProxy } from "./wire-proxy.ts";

/** How often each is to happen. */
export type Losses = Readonly<Record<Exclude<Fate, "pass" | "hold-request">, number>>;

const COLLECTION = "people";
const WRITERS = 8;
/** The statements that make units. */
const APPLY = /\.(?:apply|put)_v\d+\(/;
/** A run that loses nothing ends all the same. */
const MOST_WRITES = 20_000;

/** Writes until so much was lost, each writer on records of its own; fails the test for whatever is wrong. */
export async function lostAnswers(t: TestContext, server: PostgresServer, losses: Losses): Promise<void> {
  const url = await server.createDatabase();
  await preparePlace({ kind: "postgres", url, connections: 2 });
  const proxy = await WireProxy.start(server.port);
  defer(t, () => proxy[Symbol.asyncDispose]());
  const pool = poolOf({ kind: "postgres", url: proxy.through(url), connections: WRITERS });
  const store = await postgresStore(pool, { endPool: true });
  const vault = await openVault({ store, keyring: keyringOf(newTestKey("one")) });
  defer(t, () => vault.close());

  const left: Record<string, number> = { ...losses };
  let kept = 0;
  let late = 0;
  proxy.judge = (statement) => {
    const fates = Object.keys(left).filter((fate) => left[fate]! > 0) as (keyof Losses)[];
    const fate = fates[Math.floor(Math.random() * fates.length)];
    if (fate === undefined || !APPLY.test(statement) || Math.random() < 0.3) return "pass";
    left[fate]!--;
    if (fate === "keep-request") kept++;
    return fate;
  };
  const isOver = (): boolean => Object.values(left).every((count) => count === 0);
  const ledgers = await Promise.all(
    Array.from({ length: WRITERS }, (_, writer) =>
      write(vault, `w${writer}`, isOver, async () => {
        const released = await proxy.release();
        late += released;
      }),
    ),
  );
  late += await proxy.release();
  proxy.judge = () => "pass";

  let versions = 0;
  for (const ledger of ledgers)
    for (const [id, tokens] of ledger.acknowledged) {
      const found = (await vault.history({ collection: COLLECTION, id })).map(({ version }) => version).reverse();
      assert.deepEqual(
        found,
        tokens.map((_, index) => index + 1),
        `${id}: versions, each once`,
      );
      for (const version of found) {
        const { document } = await vault.get({ collection: COLLECTION, id }, { version });
        assert.equal(document["token"], tokens[version - 1], `${id}, version ${version}`);
      }
      versions += found.length;
    }
  const failures = ledgers.flatMap(({ failures }) => failures);
  t.diagnostic(
    `${Object.entries(losses)
      .map(([fate, count]) => `${fate}: ${count}`)
      .join(", ")}; ${versions} writes acknowledged, each stored once; ` +
      `${late} of ${kept} kept requests came to the server when their client was gone; ${failures.length} failures`,
  );
  assert.deepEqual(failures.slice(0, 10), [], `${failures.length} failures, conflicts among them`);
  assert.ok(isOver(), "as much was lost as was to be");
  assert.equal(late, kept);
}

interface Ledger {
  /** Record -> what its versions hold, as far as they were acknowledged. */
  readonly acknowledged: Map<string, string[]>;
  readonly failures: string[];
}

/** Nobody else writes these records: every conflict would be a false one, every number too many a duplicate. */
async function write(
  vault: Vault,
  name: string,
  isOver: () => boolean,
  afterEach: () => Promise<void>,
): Promise<Ledger> {
  const ledger: Ledger = { acknowledged: new Map(), failures: [] };
  for (let number = 0; !isOver() && number < MOST_WRITES / WRITERS; number++) {
    const id = `${name}-${number % 5}`;
    const tokens = ledger.acknowledged.get(id) ?? [];
    const token = `${name}/${number}`;
    const expect =
      tokens.length === 0 ? ({ kind: "absent" } as const) : ({ kind: "version", version: tokens.length } as const);
    try {
      await vault.put({ collection: COLLECTION, id }, { token }, { expect });
      ledger.acknowledged.set(id, [...tokens, token]);
    } catch (error) {
      ledger.failures.push(`${id} at ${tokens.length}: ${isVaultError(error) ? error.code : String(error)}`);
      // What is there now is what the next one builds on.
      const found = await vault.history({ collection: COLLECTION, id }).catch(() => []);
      ledger.acknowledged.set(id, [...tokens, ...Array<string>(Math.max(found.length - tokens.length, 0)).fill(token)]);
    }
    await afterEach();
  }
  return ledger;
}
