/**
 * The contract of a store can fail: a store in memory that breaks one promise is found by the test of that promise.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VaultError } from "@strongroom/vault";
import { auditLogContract, keyStoreContract, storeContract } from "@strongroom/vault/store-contract";
import type { RegisterTest } from "@strongroom/vault/store-contract";
import {
  memoryContractStorage,
  memoryKeyContractStorage,
  memoryLogContractStorage,
} from "../support/memory-storage.ts";
import { OF_CHECKPOINTS } from "../support/sabotages/of-checkpoints.ts";
import { OF_ENTRIES } from "../support/sabotages/of-entries.ts";
import { OF_INVENTORY_AND_JOBS } from "../support/sabotages/of-inventory-and-jobs.ts";
import { OF_KEPT_AND_NOTES, OF_MOVED_KEYS } from "../support/sabotages/of-kept-and-notes.ts";
import { OF_KEYS } from "../support/sabotages/of-keys.ts";
import type { KeySabotage } from "../support/sabotages/of-keys.ts";
import { OF_LOG } from "../support/sabotages/of-log.ts";
import type { LogSabotage } from "../support/sabotages/of-log.ts";
import { OF_OUTBOX } from "../support/sabotages/of-outbox.ts";
import { OF_PEOPLE } from "../support/sabotages/of-people.ts";
import { OF_RECORDS } from "../support/sabotages/of-records.ts";
import { OF_TAGS } from "../support/sabotages/of-tags.ts";
import type { Sabotage } from "../support/sabotages/sabotage.ts";

const SABOTAGES = {
  ...OF_RECORDS,
  ...OF_PEOPLE,
  ...OF_INVENTORY_AND_JOBS,
  ...OF_KEPT_AND_NOTES,
  ...OF_OUTBOX,
  ...OF_ENTRIES,
  ...OF_TAGS,
};
const KEY_SABOTAGES = { ...OF_KEYS, ...OF_CHECKPOINTS, ...OF_MOVED_KEYS };

/** A test that waits for ever for what a broken store owes it has found that. */
const PATIENCE_MS = 5000;

type Body = Parameters<RegisterTest>[1];

/** Behaviour -> its test, of a contract. */
function bodiesOf(register: (test: RegisterTest) => void): ReadonlyMap<string, Body> {
  const bodies = new Map<string, Body>();
  register((name, body) => {
    const behaviour = name.replace("memory: ", "");
    assert.ok(!bodies.has(behaviour), `two tests are called ${name}`);
    bodies.set(behaviour, body);
  });
  return bodies;
}

/** Of stores of records that are broken so. */
const contractOf = ({ alter, clock }: Partial<Sabotage>): ReadonlyMap<string, Body> =>
  bodiesOf((test) => {
    const newStorage = () => memoryContractStorage({ ...(alter && { alter }), ...(clock && { clock: clock() }) });
    storeContract("memory", newStorage, { capabilities: { callerTransaction: true }, test });
  });

/** Of key stores that are broken so. */
const keyContractOf = ({ alter }: Partial<KeySabotage>): ReadonlyMap<string, Body> =>
  bodiesOf((test) => {
    keyStoreContract("memory", () => memoryKeyContractStorage({ ...(alter && { alter }) }), { test });
  });

/** Of logs of the audit that are broken so. */
const logContractOf = ({ alter }: Partial<LogSabotage>): ReadonlyMap<string, Body> =>
  bodiesOf((test) => {
    auditLogContract("memory", () => memoryLogContractStorage({ ...(alter && { alter }) }), { test });
  });

async function failureOf(body: Body, t: Parameters<Body>[0]): Promise<unknown> {
  const patience = new AbortController();
  const waited = new Promise<string>((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS, "it waits for ever");
    patience.signal.addEventListener("abort", () => {
      clearTimeout(timer);
    });
  });
  const failed = body(t).then(
    () => null,
    (error: unknown) => error,
  );
  try {
    return await Promise.race([failed, waited]);
  } finally {
    patience.abort();
  }
}

/** The test of the broken promise fails, and for that. */
async function assertFound(body: Body | undefined, foundBy: string, t: Parameters<Body>[0]): Promise<void> {
  assert.ok(body !== undefined, `there is a test called: ${foundBy}`);
  const failure = await failureOf(body, t);
  assert.notEqual(failure, null, "the test passes");
  const isOfTheTest =
    failure === "it waits for ever" ||
    (failure as { code?: unknown }).code === "ERR_ASSERTION" ||
    failure instanceof VaultError;
  assert.ok(isOfTheTest, `it fails for another reason: ${String(failure)}`);
}

for (const [broken, sabotage] of Object.entries(SABOTAGES))
  test(`a store that ${broken} is found`, (t) =>
    assertFound(contractOf(sabotage).get(sabotage.foundBy), sabotage.foundBy, t));

for (const [broken, sabotage] of Object.entries(KEY_SABOTAGES))
  test(`a key store that ${broken} is found`, (t) =>
    assertFound(keyContractOf(sabotage).get(sabotage.foundBy), sabotage.foundBy, t));

for (const [broken, sabotage] of Object.entries(OF_LOG))
  test(`a log of the audit that ${broken} is found`, (t) =>
    assertFound(logContractOf(sabotage).get(sabotage.foundBy), sabotage.foundBy, t));

test("every part of the contracts has a test that was seen to fail", () => {
  for (const [sabotages, all, least] of [
    [Object.values(SABOTAGES), contractOf({}), [150, 90]],
    [Object.values(KEY_SABOTAGES), keyContractOf({}), [70, 33]],
    [Object.values(OF_LOG), logContractOf({}), [43, 30]],
  ] as const) {
    const found = new Set(sabotages.map(({ foundBy }) => foundBy));
    assert.ok(all.size >= least[0] && found.size >= least[1], `${found.size} of ${all.size}`);
  }
});
