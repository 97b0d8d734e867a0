// How old the material of the keys in force is, for a service's metrics and log: a key that is older than its
// cryptoperiod is told once a day. Asked of the KMS now and then; a region that does not answer tells nothing.
import type { KeyAge } from "@strongroom/server";
import type { Logger } from "pino";
import type { KeyedRole } from "../store/which.ts";
import type { InstalledKeySet } from "./key-sets.ts";
import { DAY_MS, materialAge } from "./material-age.ts";

/** What is watched. */
export interface WatchedKeys {
  readonly inForce: (role: KeyedRole) => InstalledKeySet;
  /** Days for which a key's material is to be used. */
  readonly period: number;
  readonly logger: Logger;
}

const LOOK_EVERY_MS = 6 * 3600 * 1000;
const PATIENCE_MS = 10_000;

/** Looks now, and again until it is closed. */
export function watchKeyAges({ inForce, period, logger }: WatchedKeys): {
  readonly ages: () => readonly KeyAge[];
  readonly close: () => void;
} {
  let ages: readonly KeyAge[] = [];
  let toldAt = Number.NEGATIVE_INFINITY;
  const look = async (): Promise<void> => {
    ages = await agesOf(inForce, period);
    const old = ages.filter(({ days }) => days >= period);
    if (old.length === 0 || Date.now() - toldAt < DAY_MS) return;
    toldAt = Date.now();
    logger.warn(
      { keys: old.map(({ region, purpose, days }) => ({ region, purpose, days })), period },
      "keys in force are older than their cryptoperiod: strongroom keys rotate",
    );
  };
  const looking = setInterval(() => void look(), LOOK_EVERY_MS).unref();
  void look();
  return {
    ages: () => ages,
    close: () => {
      clearInterval(looking);
    },
  };
}

const PURPOSES: Readonly<Record<KeyedRole, KeyAge["purpose"]>> = { records: "records", keys: "people" };

async function agesOf(inForce: WatchedKeys["inForce"], period: number): Promise<readonly KeyAge[]> {
  const asked = (Object.keys(PURPOSES) as KeyedRole[]).flatMap((role) =>
    inForce(role).regions.map(async ({ region, keyArn, client }): Promise<KeyAge> => {
      const { since } = await materialAge(client, keyArn, AbortSignal.timeout(PATIENCE_MS));
      const days = Math.floor((Date.now() - since.getTime()) / DAY_MS);
      return { region, purpose: PURPOSES[role], days, period };
    }),
  );
  const ended = await Promise.allSettled(asked);
  return ended.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}
