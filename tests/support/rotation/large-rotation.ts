/**
 * A large rotation, measured: a KMS in a process of its own, and the process that rotates (rotating.ts). What the KMS
 * was asked is what it has written down itself.
 */
import { join } from "node:path";
import type { TestContext } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import type { Scope } from "@strongroom/vault";
import { defer } from "../defer.ts";
import type { KeyedPlace } from "../faults/keyed-place.ts";
import { Child } from "./children.ts";
import type { RegionClientConfig } from "./large-vault.ts";

const REGIONS = ["eu-west-1", "eu-west-2"];

/** What is rotated, and where. */
export interface LargePlace {
  readonly place: KeyedPlace;
  readonly folder: string;
  readonly scope: Scope;
  readonly people: number;
  /** Rotations one after the other, each by so many processes. */
  readonly workers: readonly number[];
}

/** What the process is told that rotates. */
export interface LargeTrial extends LargePlace {
  readonly kms: readonly RegionClientConfig[];
  /** ARNs, in the order of the regions: what people are written under, and what each rotation brings them to. */
  readonly sets: readonly (readonly string[])[];
}

/** What it says. */
export type RotationLine =
  | { readonly kind: "filled"; readonly seconds: number }
  | { readonly kind: "rotated"; readonly figures: RotationFigures };

/** Figures of one rotation. */
export interface RotationFigures {
  readonly workers: number;
  readonly items: number;
  readonly seconds: number;
  /** Calls of the run; those that the KMS counted have live traffic's among them. */
  readonly calls: number;
  readonly allCalls: number;
  readonly forecast: number;
  readonly bytesAnItem: number;
  readonly residentMiB: readonly [first: number, most: number];
  readonly live: {
    readonly done: number;
    readonly failed: number;
    readonly perSecond: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
  };
}

/** Fills the stores, and brings them to one key set after the other. */
export async function* largeRotation(t: TestContext, where: LargePlace): AsyncGenerator<RotationFigures> {
  const kms = await startKms(t, join(where.folder, "kms"));
  const sets = [await keySet(kms)];
  for (let more = where.workers.length; more > 0; more--) sets.push(await keySet(kms));
  const trial: LargeTrial = { ...where, kms, sets };
  const child = deferred(t, new Child("rotating", [JSON.stringify(trial)]));
  for await (const text of child.lines) {
    const line = JSON.parse(text) as RotationLine;
    if (line.kind === "rotated") yield line.figures;
    else t.diagnostic(`${where.people} people written in ${line.seconds.toFixed(1)} s`);
  }
}

async function startKms(t: TestContext, folder: string): Promise<readonly RegionClientConfig[]> {
  const child = deferred(t, new Child("kms-process", [folder, ...REGIONS]));
  return JSON.parse(await child.line()) as readonly RegionClientConfig[];
}

function deferred(t: TestContext, child: Child): Child {
  defer(t, () => child.end());
  return child;
}

async function keySet(kms: readonly RegionClientConfig[]): Promise<readonly string[]> {
  return Promise.all(
    kms.map(async (config) => {
      const client = new KMS({ ...config, maxAttempts: 1 });
      const { KeyMetadata } = await client.createKey({});
      client.destroy();
      return KeyMetadata?.Arn ?? "";
    }),
  );
}
