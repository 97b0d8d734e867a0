// A witness that is a file: the newest checkpoint, replaced whole (0600). It is worth as much as it is apart from the
// data folder: another user's folder, another disk, another machine's share.

import { closeSync, openSync, readSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isAbsent, systemReason, writeFileAtomic } from "@strongroom/base/files";
import { endOf, liesIn } from "@strongroom/base/paths";
import { NOTE_LIMITS } from "@strongroom/tlog/note";
import type { Seen, SignedHead, Witness, WitnessFailures, WitnessedLog } from "./witness.ts";

/** Where it is, and where it must not be. */
export interface FileWitnessOptions {
  /** Folders that would be set back together with it: where the stores are. */
  readonly apartFrom: readonly string[];
  /**
   * Whether its folder is made when it is first written. Not where it may be a volume's: that is away when it is not
   * mounted, and nothing is to be written in its place.
   */
  readonly folder: "must-be-there" | "is-made";
  readonly failures: WitnessFailures;
}

/** A file that holds the newest checkpoint. */
export class FileWitness implements Witness {
  readonly name: string;
  readonly #path: string;
  readonly #options: FileWitnessOptions;

  /** @throws what `WitnessFailures.invalid` makes, for a file in a folder that is set back with it. */
  constructor(path: string, options: FileWitnessOptions) {
    this.name = `the witness ${resolve(path)}`;
    // To replace a link by a file would move the witness to another disk, and a link to a volume that is not there is
    // no file that was never written.
    this.#path = endOf(path);
    this.#options = options;
    if (options.apartFrom.some((folder) => liesIn(this.#path, folder)))
      throw options.failures.invalid(`${this.name} lies in the data folder: it would be set back together with it.`);
  }

  async examine(log: WitnessedLog): Promise<Seen> {
    let found: FoundText;
    try {
      found = readBounded(this.#path, NOTE_LIMITS.bytes);
    } catch (error) {
      return isAbsent(error) ? this.#absent() : { kind: "away", reason: systemReason(error) };
    }
    if (found.kind === "unfit") throw this.#options.failures.setBack(found.why);
    return { kind: "seen", size: await log.compare(found.text, this.name) };
  }

  /** A missing file is one that was never written; a missing folder is a volume that is not there. */
  #absent(): Seen {
    const folder = dirname(this.#path);
    if (this.#options.folder === "is-made" || isFolder(folder)) return { kind: "nothing" };
    return { kind: "away", reason: `there is no folder ${folder}` };
  }

  async record(head: SignedHead): Promise<void> {
    if (this.#hasMore(head)) return;
    if (this.#options.folder === "is-made") await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    await writeFileAtomic(this.#path, head.note);
  }

  /** Whether another process was faster. What is no checkpoint of this log is replaced. */
  #hasMore(head: SignedHead): boolean {
    try {
      const found = readBounded(this.#path, NOTE_LIMITS.bytes);
      const [seen, told] = [found.kind === "text" ? head.own(found.text) : null, head.own(head.note)];
      return seen !== null && seen.origin === told?.origin && seen.size > head.checkpoint.size;
    } catch {
      return false;
    }
  }

  async read(): Promise<string | null> {
    try {
      const found = readBounded(this.#path, NOTE_LIMITS.bytes);
      if (found.kind === "unfit") throw this.#options.failures.setBack(found.why);
      return found.text;
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** What a file holds; `unfit`: it cannot be a checkpoint. */
export type FoundText =
  { readonly kind: "text"; readonly text: string } | { readonly kind: "unfit"; readonly why: string };

/** The text of a file of at most `most` bytes. @throws the system's error */
export function readBounded(path: string, most: number): FoundText {
  // Before it is opened: to open a pipe is to wait for its writer.
  if (!statSync(path).isFile()) return { kind: "unfit", why: `${path} is no file.` };
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(most + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(file, bytes, length, bytes.length - length, null);
    if (length > most) return { kind: "unfit", why: `${path} is too long for a checkpoint.` };
    return { kind: "text", text: bytes.subarray(0, length).toString("utf8") };
  } finally {
    closeSync(file);
  }
}
