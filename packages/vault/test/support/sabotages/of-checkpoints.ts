/**
 * Key stores that break a promise about the checkpoint, their outbox, or whose keys are.
 */
import type { KeyStore } from "../../../src/stores/key-store.ts";
import { breaks } from "./of-keys.ts";
import type { KeySabotage } from "./of-keys.ts";
import { turn } from "./sabotage.ts";

const checkpoint = (
  foundBy: string,
  parts: (checkpoint: KeyStore["checkpoint"]) => Partial<KeyStore["checkpoint"]>,
): KeySabotage => breaks(foundBy, (store) => ({ checkpoint: parts(store.checkpoint) }));

/** What is broken -> who finds it, and how it is broken. */
export const OF_CHECKPOINTS: Readonly<Record<string, KeySabotage>> = {
  "has a checkpoint for itself": checkpoint(
    "there is no checkpoint at first, and then the one that was put there",
    () => {
      let own: string | null = null;
      return {
        read: async () => own,
        replace: async (note) => {
          own = note;
          return "replaced";
        },
      };
    },
  ),
  "replaces a checkpoint for whoever has seen another": checkpoint(
    "a checkpoint is replaced only by whoever has seen it",
    (own) => ({ replace: async (note) => own.replace(note, await own.read()) }),
  ),
  "compares checkpoints without their ends": checkpoint(
    "a checkpoint is replaced only by whoever has seen it",
    (own) => ({
      replace: async (note, seen) => {
        const now = await own.read();
        return own.replace(note, now?.trim() === seen?.trim() ? now : seen);
      },
    }),
  ),
  "looks at the checkpoint first and replaces it later": checkpoint(
    "of many that replace one checkpoint exactly one does",
    (own) => ({
      replace: async (note, seen) => {
        if ((await own.read()) !== seen) return "overtaken";
        await turn();
        return own.replace(note, await own.read());
      },
    }),
  ),
  "cuts a checkpoint": checkpoint(
    "a checkpoint is as long as one may be, and what is longer or none is refused",
    (own) => ({ read: async () => (await own.read())?.slice(0, 10_000) ?? null }),
  ),
  "reads a checkpoint when it is closed": checkpoint("a checkpoint of a store that is closed is refused", () => ({
    read: async () => null,
  })),
  "writes about people whom it does not know": breaks(
    "nobody is active in a key store: an append about somebody is refused",
    ({ outbox }) => ({ outbox: { append: (entries) => outbox.append(entries, []) } }),
  ),
  "drops what waits when its stream is closed": breaks(
    "a stream is closed only at the number that is named, and when nothing of it waits",
    ({ outbox }) => ({
      outbox: {
        closeStreams: async (rows) => {
          await outbox.drop((await outbox.take(1000)).map(({ position }) => position));
          await outbox.closeStreams(rows);
        },
      },
    }),
  ),
  "knows whose people's keys are, and no others": breaks(
    "whose versions are is told in their order, whatever their kind",
    ({ keys }) => ({
      keys: {
        owners: async (versions) => (await keys.owners(versions)).map((name) => (name?.kind === "audit" ? null : name)),
      },
    }),
  ),
  "knows whose a hundred keys are": breaks(
    "owners of a thousand versions are told at once, and of more refused",
    ({ keys }) => ({ keys: { owners: (versions) => keys.owners(versions.slice(0, 100)) } }),
  ),
};
