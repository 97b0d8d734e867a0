/**
 * A witness that remembers one note in memory, as a file on another disk does.
 */
import type { Witness } from "../../../src/audit/witness.ts";

export class MemoryWitness implements Witness {
  readonly name = "the witness";
  readonly pauseMs = 1;
  note: string | null = null;

  async examine(log: Parameters<Witness["examine"]>[0]): ReturnType<Witness["examine"]> {
    if (this.note === null) return { kind: "nothing" };
    const size = await log.compare(this.note, this.name);
    return size === 0 ? { kind: "nothing" } : { kind: "seen", size };
  }

  async record({ note }: Parameters<Witness["record"]>[0]): Promise<void> {
    this.note = note;
  }

  async read(): Promise<string | null> {
    return this.note;
  }
}
