// A witness that is a file: the newest checkpoint, replaced whole (0600). It is worth as much as it is apart from the
// data folder: another user's folder, another disk, another machine's share.

import { closeSync, openSync, readSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { isAbsent, systemReason, writeFileAtomic } from "@strongroom/base/files";
import { NOTE_LIMITS } from "@strongroom/tlog/note";
import { compareWith } from "../audit/comparison.ts";
import { KmsError } from "../errors.ts";
import type { NewHead, Seen, Witness, WitnessedLog } from "./witness.ts";

/** A file that holds the newest checkpoint. */
export class FileWitness implements Witness {
  readonly name: string;
  readonly #path: string;

  /** @throws KmsError `option-invalid` for a file in the data folder, which is set back with it. */
  constructor(path: string, dataDir: string) {
    this.name = `the witness ${resolve(path)}`;
    this.#path = endOf(path);
    const inside = relative(realOf(resolve(dataDir)), this.#path);
    if (inside.split(sep)[0] !== ".." && !isAbsolute(inside))
      throw new KmsError(
        "option-invalid",
        `${this.name} lies in the data folder: it would be set back together with it.`,
      );
  }

  async examine(log: WitnessedLog): Promise<Seen> {
    let note: string | null;
    try {
      note = await this.read();
    } catch (error) {
      if (error instanceof KmsError) throw error;
      return { kind: "away", reason: systemReason(error) };
    }
    if (note === null) return this.#absent();
    const compared = await compareWith(log.db, log, { note, key: log.key, from: this.name });
    return { kind: "seen", size: compared.kind === "continued" ? compared.size : 0 };
  }

  /** A missing file is one that was never written; a missing folder is a volume that is not there. */
  #absent(): Seen {
    const folder = dirname(this.#path);
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return { kind: "nothing" };
    return { kind: "away", reason: `there is no folder ${folder}` };
  }

  async record({ note }: NewHead): Promise<void> {
    await writeFileAtomic(this.#path, note);
  }

  async read(): Promise<string | null> {
    try {
      return readBounded(this.#path, NOTE_LIMITS.bytes);
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  }
}

/** A path is so many links long at most, as with Linux. */
const MOST_LINKS = 40;

/**
 * Where a path leads, also if nothing is there yet. To replace a link by a file would move the witness to another disk,
 * and a link to a volume that is not there is no file that was never written.
 */
function endOf(path: string): string {
  let at = resolve(path);
  for (let links = 0; links < MOST_LINKS; links++) {
    const target = linkAt(at);
    if (target === null) break;
    at = resolve(dirname(at), target);
  }
  return join(realOf(dirname(at)), basename(at));
}

function linkAt(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** The folder without links in its path; as it is named if it is not there. */
function realOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

/** The text of a file of at most `most` bytes. @throws KmsError `audit-set-back` for what cannot be a checkpoint. */
export function readBounded(path: string, most: number): string {
  // Before it is opened: to open a pipe is to wait for its writer.
  if (!statSync(path).isFile()) throw new KmsError("audit-set-back", `${path} is no file.`);
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(most + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(file, bytes, length, bytes.length - length, null);
    if (length > most) throw new KmsError("audit-set-back", `${path} is too long for a checkpoint.`);
    return bytes.subarray(0, length).toString("utf8");
  } finally {
    closeSync(file);
  }
}
