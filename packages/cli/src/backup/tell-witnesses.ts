// Tells witnesses of a log that has its place now. Its newest checkpoint is signed already: no key is needed.
import { renamedVkey } from "@strongroom/tlog/keys";
import { type Checkpoint, parseCheckpoint } from "@strongroom/tlog/checkpoint";
import { openNote, parseNote, tlogFailure } from "@strongroom/tlog/note";
import { StoredTree } from "@strongroom/tlog/stored-tree";
import type { Witness } from "@strongroom/vault";
import { sqliteAuditLog } from "@strongroom/vault/sqlite";

/** A witness, and whether it knows the new history. If not, the next start tells it. */
export interface ToldWitness {
  readonly name: string;
  readonly told: boolean;
}

/** @param key the verifier key of the audit, under any name */
export async function tellWitnesses(
  witnesses: readonly Witness[],
  logPath: string,
  key: string,
): Promise<readonly ToldWitness[]> {
  if (witnesses.length === 0) return [];
  const log = await sqliteAuditLog(logPath);
  try {
    const { checkpoint: note } = await log.state();
    if (note === null) return witnesses.map(({ name }) => ({ name, told: false }));
    const own = (given: string): Checkpoint | null => ownCheckpoint(given, key);
    const checkpoint = parseCheckpoint(parseNote(note).text);
    const head = { note, checkpoint, tree: new StoredTree((range) => log.hashes(range)), own };
    return await Promise.all(
      witnesses.map((witness) =>
        witness.record(head).then(
          () => ({ name: witness.name, told: true }),
          () => ({ name: witness.name, told: false }),
        ),
      ),
    );
  } finally {
    await log.close();
  }
}

function ownCheckpoint(note: string, key: string): Checkpoint | null {
  try {
    const { origin } = parseCheckpoint(parseNote(note).text);
    return parseCheckpoint(openNote(note, [renamedVkey(key, origin)]).text);
  } catch (error) {
    if (tlogFailure(error) === null) throw error;
    return null;
  }
}
