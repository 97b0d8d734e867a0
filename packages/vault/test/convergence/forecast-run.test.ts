/**
 * Forecasts beside runs against a real KMS: calls by region and operation, as each region was really asked, as the run
 * itself counted them, and as they were forecast.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { openVault } from "@strongroom/vault";
import type { ConvergeOptions, KeySetInput } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { putPeople, QUICK_RUN, requireAll, untilRun } from "../support/converging.ts";
import { QUICK_KEYRING, regionalKeys } from "../support/regional-vault.ts";
import type { RegionalKeys } from "../support/regional-vault.ts";
import { memoryStorage } from "../support/storage.ts";

type Calls = Readonly<Record<string, number>>;

type CallCounts = Map<string, number>;

/** Counts what really goes to each region. */
function count(keys: RegionalKeys["keys"], calls: CallCounts): void {
  for (const { client, region } of keys)
    client.middlewareStack.add(
      (next, context) => (args) => {
        const operation = String((context as { commandName?: string }).commandName).replace("Command", "");
        const name = `${region} ${operation}`;
        calls.set(name, (calls.get(name) ?? 0) + 1);
        return next(args);
      },
      { step: "initialize", name: "counted" },
    );
}

interface Case {
  readonly of: string;
  readonly scope: "record" | "subject" | "tenant";
  /**
   * Which keys of which regions, by their index: `a` those that are there from the start, `b` others of the same
   * accounts, `c` others again that another client speaks for.
   */
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly options: ConvergeOptions;
}

const CASES: readonly Case[] = [
  {
    of: "a rotation in two regions, each wrap proven",
    scope: "subject",
    from: ["a0", "a1"],
    to: ["b0", "b1"],
    options: {},
  },
  { of: "a rotation without proofs", scope: "subject", from: ["a0", "a1"], to: ["b0", "b1"], options: { verify: 0 } },
  { of: "a new region", scope: "subject", from: ["a0", "a1"], to: ["a0", "a1", "b2"], options: {} },
  { of: "other keys and a new region", scope: "subject", from: ["a0", "a1"], to: ["b0", "b1", "b2"], options: {} },
  {
    of: "other keys and a new region, without proofs",
    scope: "subject",
    from: ["a0", "a1"],
    to: ["b0", "b1", "b2"],
    options: { verify: 0 },
  },
  { of: "another KMS in the same regions", scope: "subject", from: ["a0", "a1"], to: ["c0", "c1"], options: {} },
  { of: "another KMS in one of them", scope: "subject", from: ["a0", "a1"], to: ["b0", "c1"], options: {} },
  { of: "a region that is left", scope: "subject", from: ["a0", "a1", "a2"], to: ["a0", "a1"], options: {} },
  { of: "the keys of tenants", scope: "tenant", from: ["a0", "a1"], to: ["b0", "b1"], options: {} },
  { of: "records in record scope", scope: "record", from: ["a0", "a1"], to: ["b0", "b1"], options: {} },
  { of: "records without proofs", scope: "record", from: ["a0", "a1"], to: ["b0", "b1"], options: { verify: 0 } },
];

for (const { of, scope, from, to, options } of CASES)
  test(`${of}: calls are as forecast`, { timeout: 60_000 }, async (t) => {
    const regional = await regionalKeys(t);
    const calls: CallCounts = new Map();
    count(regional.keys, calls);
    const setOf = await keySets(t, regional, calls);
    const [current, next] = [setOf(from), setOf(to)];
    const storage = memoryStorage();
    const vault = await openVault({
      ...{ store: await storage.open(), ...current, next, repair: QUICK_RUN },
      keys: { store: await storage.openKeys(), scope },
    });
    defer(t, () => vault.close());
    const people = 12;
    await putPeople(vault, people);
    const { forecast } = await vault.convergence.plan(options);
    calls.clear();
    await vault.convergence.apply({ ...options, rate: 10_000 });
    await untilRun(vault, "done");
    const made = sorted(Object.fromEntries(calls));
    const { run } = await vault.convergence.status();
    assert.deepEqual(made, named(forecast.calls), "as forecast");
    await told(t, async () => named((await vault.convergence.status()).run!.progress.calls), made);
    assert.equal(run?.state, "done");
    await requireAll(vault, people);
  });

/** What the run says it has made: written down a moment later. */
async function told(t: TestContext, of: () => Promise<Calls>, made: Calls): Promise<void> {
  const until = Date.now() + 10_000;
  while (JSON.stringify(await of()) !== JSON.stringify(made) && Date.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(await of(), made, "as the run counted");
  t.diagnostic(JSON.stringify(made));
}

const named = (
  calls: readonly { readonly region: string; readonly operation: string; readonly calls: number }[],
): Calls =>
  sorted(Object.fromEntries(calls.map(({ region, operation, calls: made }) => [`${region} ${operation}`, made])));

const sorted = (calls: Calls): Calls => Object.fromEntries(Object.entries(calls).sort(([a], [b]) => (a < b ? -1 : 1)));

/** `a1`: the first key of the second region; `b1`: another one there; `c1`: one by another client. */
async function keySets(
  t: TestContext,
  { kms, keys }: RegionalKeys,
  calls: CallCounts,
): Promise<(names: readonly string[]) => KeySetInput> {
  const others = async (clientOf: (key: RegionalKeys["keys"][number]) => KMS): Promise<RegionalKeys["keys"]> =>
    Promise.all(
      keys.map(async (key) => {
        const client = clientOf(key);
        return { region: key.region, client, keyArn: (await client.createKey({})).KeyMetadata!.Arn! };
      }),
    );
  const elsewhere = ({ region }: RegionalKeys["keys"][number]): KMS => {
    const client = new KMS({ ...kms.clientConfig(region), maxAttempts: 1 });
    defer(t, () => {
      client.destroy();
    });
    return client;
  };
  const sets = { a: keys, b: await others(({ client }) => client), c: await others(elsewhere) };
  count(sets.c, calls);
  return (names) => {
    const regions = names.map((name) => sets[name[0] as keyof typeof sets][Number(name[1])]!);
    // No call is made beside another one that a busy machine is late with, or nothing here could be counted.
    const alone = { proveWraps: "off", hedgeRatio: 0, hedgeReserve: 0 } as const;
    const keyring = multiRegionKeyring({ regions, minimum: regions.length, ...alone, ...QUICK_KEYRING });
    return { keyring, keySet: regions.map(({ keyArn }) => keyArn) };
  };
}
