// A log that lies in memory, for tests: it grows, is set back and forks, as a store is.

import { generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { formatCheckpoint, parseCheckpoint } from "@strongroom/tlog/checkpoint";
import type { Checkpoint } from "@strongroom/tlog/checkpoint";
import { signerOf } from "@strongroom/tlog/keys";
import { openNote, parseNote, signNote } from "@strongroom/tlog/note";
import { consistencyRanges } from "@strongroom/tlog/proof";
import { CompactRange, leafHash } from "@strongroom/tlog/tree";
import type { WitnessFailures, WitnessedLog } from "../src/witness.ts";

/** What a test sees of the errors that a package would make. */
export const failures: WitnessFailures = {
  invalid: (detail) => Object.assign(new Error(detail), { code: "invalid" }),
  setBack: (detail) => Object.assign(new Error(detail), { code: "set-back" }),
};

/** One history of a log. */
export class GrownLog {
  readonly key: KeyObject;
  readonly origin: string;
  readonly leaves: Uint8Array[];
  /** Origins of histories that were given up. */
  readonly givenUp: string[] = [];

  constructor({
    key = generateKeyPairSync("ed25519").privateKey,
    origin = "strongroom/00000000-0000-4000-8000-00000000000a/one",
    leaves = [] as readonly Uint8Array[],
  } = {}) {
    this.key = key;
    this.origin = origin;
    this.leaves = [...leaves];
  }

  get vkey(): string {
    return signerOf(this.origin, "ed25519", this.key).vkey;
  }

  /** With so many more entries. */
  grow(count: number, content = "entry"): this {
    for (let index = 0; index < count; index++) this.leaves.push(leafHash(`${content} ${this.leaves.length}`));
    return this;
  }

  /** A copy, as a file is copied: with the first so many entries. */
  copy(size: number = this.leaves.length): GrownLog {
    return new GrownLog({ key: this.key, origin: this.origin, leaves: this.leaves.slice(0, size) });
  }

  /** The history that a restore that was accepted begins here. */
  accept(origin: string): GrownLog {
    const next = new GrownLog({ key: this.key, origin, leaves: this.leaves });
    next.givenUp.push(this.origin, ...this.givenUp);
    return next;
  }

  /** The newest state, as a witness is told it. */
  head(): WitnessedLog {
    const [{ key, origin }, leaves] = [this, [...this.leaves]];
    const rootOf = (start: number, end: number): Uint8Array => {
      const range = new CompactRange();
      for (const leaf of leaves.slice(start, end)) range.append(leaf);
      return range.root();
    };
    const own = (note: string): Checkpoint | null => {
      try {
        const checkpoint = parseCheckpoint(parseNote(note).text);
        openNote(note, [signerOf(checkpoint.origin, "ed25519", key)]);
        return checkpoint;
      } catch {
        return null;
      }
    };
    const checkpoint = { origin, size: leaves.length, root: rootOf(0, leaves.length) };
    return {
      note: signNote(formatCheckpoint(checkpoint), [signerOf(origin, "ed25519", key)]),
      checkpoint,
      own,
      tree: {
        proveConsistency: (old, size) =>
          Promise.resolve(consistencyRanges(old, size).map(({ start, end }) => Buffer.from(rootOf(start, end)))),
      },
      compare: (note, from) => {
        const seen = own(note);
        if (seen !== null && this.givenUp.includes(seen.origin)) return Promise.resolve(0);
        const goesOn =
          seen?.origin === origin &&
          seen.size <= leaves.length &&
          Buffer.compare(rootOf(0, seen.size), seen.root) === 0;
        return goesOn ? Promise.resolve(seen.size) : Promise.reject(failures.setBack(`${from} has seen another log`));
      },
    };
  }
}
