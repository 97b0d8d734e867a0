// Back to how the emulator started: no keys, or those of its seed. Every deletion is on record.

import { serviceEvent } from "../audit/event.ts";
import type { Engine } from "../http/handle.ts";
import { applySeed } from "../seed/apply-seed.ts";
import type { SeedKey } from "../seed/read-seed.ts";
import type { Change, RegionData } from "../store/region-data.ts";

/**
 * Deletes every key and alias of every region, then makes those of the seed again. No call may be under way.
 * @param readSeed reads the seed anew: its material is wiped once it is made.
 * @throws KmsError `store-failed`, and those of the seed; everything is deleted then.
 */
export async function resetStore(engine: Engine, readSeed: () => readonly SeedKey[]): Promise<void> {
  const { store, account, clock } = engine;
  const now = clock.now();
  const regions = [...store.regions.values()];
  const keys = regions.flatMap((region) => [...region.keys.values()]);
  const changes = regions.flatMap(deletions);
  store.apply(changes);
  await store.commit(
    store.epoch,
    changes,
    keys.map((key) => serviceEvent({ name: "DeleteKey", key, account, at: now })),
  );
  store.forgetEmptyRegions();
  await applySeed(readSeed(), { ...engine, now });
}

/** With a key go its aliases and grants; what is left are aliases of none. */
function deletions({ name: region, keys, aliases }: RegionData): Change[] {
  return [
    ...[...keys.keys()].map((keyId): Change => ({ kind: "delete-key", region, keyId })),
    ...[...aliases.values()]
      .filter(({ keyId }) => !keys.has(keyId))
      .map(({ name }): Change => ({ kind: "delete-alias", region, name })),
  ];
}
