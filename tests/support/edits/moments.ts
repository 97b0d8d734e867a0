/**
 * The moments of a trial's vault, each a folder with its three files: after the first step, with all of it waiting in
 * the outboxes, and with all of it in the audit's log (`live`: copied while the vault was open, `before`: when it was
 * closed); and the same after the second.
 */
import assert from "node:assert/strict";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { TestContext } from "node:test";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import {
  owesNothing,
  QUICK_KEYRING,
  QUICK_REPAIR,
  regionalKeys,
} from "../../../packages/vault/test/support/regional-vault.ts";
import { temporaryFolder } from "../faults/folder.ts";
import { holdSequencer, openFiles, vaultOver } from "./site.ts";
import type { Stores, VaultMaker } from "./site.ts";
import { doStep } from "./world.ts";

/** When the second step was done, whether it was carried to the log by then. */
export const WHEN = ["waiting", "carried"] as const;
export type When = (typeof WHEN)[number];

/** The folders of the moments. */
export interface Moments extends Readonly<Record<When | "first" | "live" | "before", string>> {
  /** Where a trial may make folders. */
  readonly root: string;
  readonly make: VaultMaker;
  /** The verifier key of the audit's checkpoints. */
  readonly key: string;
}

/** Writes a vault, under the keys of a KMS with three regions, of which one is away in the first step. */
export async function moments(t: TestContext, witnesses: VaultMaker["witnesses"] = []): Promise<Moments> {
  const root = await temporaryFolder(t);
  const { kms, keys } = await regionalKeys(t);
  const keyring = multiRegionKeyring({ regions: keys, minimum: 2, proveWraps: "off", ...QUICK_KEYRING });
  const make = { keyring, witnesses };
  const folder = (name: string): string => join(root, name);
  await mkdir(folder("now"));
  const files = (): Promise<Stores> => openFiles(folder("now"));
  const keep = async (name: string): Promise<string> => {
    await cp(folder("now"), folder(name), { recursive: true });
    return folder(name);
  };

  let stores = await files();
  let release = await holdSequencer(stores.log);
  await kms.stopRegion("eu-central-1");
  let { vault } = await vaultOver(stores, { ...make, repair: { ...QUICK_REPAIR, health: () => keyring.health() } });
  await doStep(vault, 1);
  await kms.startRegion("eu-central-1");
  while (!(await owesNothing(vault)())) await delay(20);
  await vault.close();
  await release();
  await stores.close();
  const first = await keep("first");

  stores = await files();
  ({ vault } = await vaultOver(stores, make));
  await vault.audit!.sequence();
  while (!(await vault.audit!.status()).adopted) await delay(20);
  const live = await keep("live");
  await vault.close();
  await stores.close();
  const before = await keep("before");

  stores = await files();
  release = await holdSequencer(stores.log);
  ({ vault } = await vaultOver(stores, make));
  await doStep(vault, 2);
  await vault.close();
  await release();
  await stores.close();
  const waiting = await keep("waiting");

  stores = await files();
  ({ vault } = await vaultOver(stores, make));
  await vault.audit!.sequence();
  const { key, alarms } = await vault.audit!.status();
  assert.deepEqual(alarms, []);
  await vault.close();
  await stores.close();
  return { root, make, key, first, live, before, waiting, carried: await keep("carried") };
}
