/** What tests of erasures share. */
import assert from "node:assert/strict";
import { VaultError } from "@strongroom/vault";
import type { ActingVault, Erasures, ErasureStep, Store, SubjectId } from "@strongroom/vault";

/** Of a vault with an audit. */
export function erasureOf({ erasure }: Pick<ActingVault, "erasure">): Erasures {
  assert.ok(erasure !== null);
  return erasure;
}

/** Erases these people, one after the other. Their opaque ids. */
export async function eraseAll(erasure: Erasures, names: readonly string[]): Promise<readonly SubjectId[]> {
  const found: SubjectId[] = [];
  for (const name of names) {
    const { state, person } = await erasure.erase(name, { reason: "art-17" });
    assert.equal(state, "erased");
    found.push(person);
  }
  return found;
}

/** A store that an erasure does not get beyond one of its steps with, until it is let. */
export class Stopping {
  /** The step that is not begun; `end`: it is not said to be over. */
  at: ErasureStep | "end" | null;
  /** Whether the answer alone is lost: what was noted is noted. */
  isAnswerLost = false;

  constructor(at: ErasureStep | "end" | null) {
    this.at = at;
  }

  readonly alter = (store: Store): Store => ({
    ...store,
    notes: {
      list: (prefix) => store.notes.list(prefix),
      replace: async (name, text, seen) => {
        const isOurs = name.startsWith("person/") && (seen?.includes('"erasure":{') ?? false);
        const step = text === null ? "end" : (/"step":"(?<step>[a-z]+)"/.exec(text)?.groups?.["step"] ?? "end");
        const stops = isOurs && step === this.at;
        const done = stops && !this.isAnswerLost ? null : await store.notes.replace(name, text, seen);
        if (stops) throw new VaultError("store-failed", `stopped before ${step}`);
        return done ?? "overtaken";
      },
    },
  });
}
