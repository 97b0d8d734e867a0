/**
 * The second stage of an erasure: once every wrapping key is gone that the key store had up to the erasure's
 * shredding generation, no backup of it opens anything of the person. Until then it says what opens, and by what. It
 * is asked anew each time, and believed of no earlier answer: a key whose deletion was taken back is there again.
 */
import { shredState } from "../convergence/shred-state.ts";
import type { AskedWrappingKey, ShredState, WrappingKeyFate } from "../convergence/view.ts";
import type { KeySets } from "../keys/key-sets.ts";
import type { KeyStore } from "../stores/key-store.ts";
import type { CertificateFacts, Remainder, WrappingKeyState } from "./certificate.ts";

/** Asks the provider of a wrapping key what has become of it. */
export type DescribeWrappingKey = (key: string) => Promise<Pick<AskedWrappingKey, "state" | "deletionAt">>;

/** What an erasure has come to. */
export interface SecondStage {
  /** The signed note of stage 2; null: keys are left that open old backups. */
  readonly certificate: string | null;
  /** The verifier key of certificates. */
  readonly key: string;
  readonly state: ShredState;
  /** What whoever has old backups opens with the keys that are left; empty: nothing. */
  readonly recoverable: readonly Recoverable[];
}

/** Something of somebody who was erased, that opens still. */
export interface Recoverable {
  /** `name`: what writers called them. `messages`: their records, where there is a backup of the record store too. */
  readonly what: "name" | "messages";
  /** Names of collections. */
  readonly of: readonly string[];
  /** Wrapping keys, any of which opens it together with a backup of the key store from before. */
  readonly by: readonly string[];
}

/** What is looked at of the key store. */
export interface SecondStageParts {
  readonly keyStore: KeyStore;
  readonly keySets: KeySets;
  readonly clock: () => Date;
}

/**
 * @returns what the certificate of stage 2 says; null: it is not over
 * @throws VaultError `key-set-unknown`; the store's; what `describe` throws
 */
export async function secondStage(
  { keyStore: store, keySets, clock }: SecondStageParts,
  first: CertificateFacts,
  describe: DescribeWrappingKey,
): Promise<Pick<SecondStage, "state" | "recoverable"> & { readonly facts: CertificateFacts | null }> {
  // Keys that wrap records too are never destroyed for the sake of one person.
  const generation = first.generation.isShared ? 0 : first.generation.number;
  const state = await shredState({ store, keySets }, generation, describe, clock);
  if (!state.isOver || state.holdsFrom === null)
    return { state, recoverable: recoverable(state, first.remains), facts: null };
  const wrappingKeys = state.keys.map((asked): WrappingKeyState => {
    const goneAt = asked.deletionAt ?? asked.askedAt;
    return { key: asked.key, generation, state: STATES[asked.state], goneAt };
  });
  const remains = [...first.remains.filter(({ diesWith }) => diesWith !== "second-stage"), ...BESIDES];
  const facts: CertificateFacts = { ...first, stage: 2, wrappingKeys, holdsFrom: state.holdsFrom, remains };
  return { state, recoverable: [], facts };
}

/** What the wrapping keys' end makes no difference to, and the first stage says nothing of. */
const BESIDES: readonly Remainder[] = [
  { what: "names-key", diesWith: "never", of: ["guessed ids of collections with sealed ids"] },
  { what: "mask-key", diesWith: "never", of: ["guessed values against hashes that were shown"] },
];

const STATES: Readonly<Record<WrappingKeyFate, WrappingKeyState["state"]>> = {
  "in-use": "in-use",
  disabled: "disabled",
  "pending-deletion": "deletion-scheduled",
  "gone-proven": "gone",
  "gone-attested": "attested-gone",
  // Nobody says that it is gone.
  unknown: "in-use",
};

function recoverable({ keys }: ShredState, remains: readonly Remainder[]): readonly Recoverable[] {
  // A key that is disabled is enabled by whoever may.
  const by = keys.flatMap(({ key, state }) => (state === "gone-proven" || state === "gone-attested" ? [] : [key]));
  if (by.length === 0) return [];
  const of = remains.find(({ what }) => what === "messages-in-copies")?.of ?? [];
  return [{ what: "name", of: [], by }, ...(of.length === 0 ? [] : [{ what: "messages" as const, of, by }])];
}
