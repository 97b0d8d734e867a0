/**
 * Room on a volume that is kept for when it is full: a file beside a database, given up so that what reads and what
 * removes can go on. What makes more of it must stop before: whoever writes asks {@link DiskReserve.hasRoom}.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, lstatSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Room of a volume, in bytes. */
export interface Room {
  readonly free: number;
  readonly size: number;
}

/** How much room the volume of a folder has; null where the system does not say. */
export function roomOf(folder: string): Room | null {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder);
    return blocks === 0 ? null : { free: bavail * bsize, size: blocks * bsize };
  } catch {
    return null;
  }
}

const MEBIBYTE = 1024 * 1024;
/** What is kept at most, and of a small volume; alike for all databases, see {@link DiskReserve.hasRoom}. */
export const RESERVE: { readonly bytes: number; readonly share: number } = { bytes: 16 * MEBIBYTE, share: 1 / 16 };
/** How old an answer about the volume may be, in milliseconds. */
const LOOK_MS = 200;
/**
 * How long after room could not be kept it is tried for again, in milliseconds. Under a quota the volume has room and
 * the file does not fit: with each try it is written as far as it goes.
 */
const RETRY_MS = 60_000;

/** The room that is kept for one database. */
export class DiskReserve {
  readonly #path: string;
  readonly #bytes: number;
  readonly #clock: () => number;
  #isHeld = false;
  #failedAt = Number.NEGATIVE_INFINITY;
  #looked = { at: Number.NEGATIVE_INFINITY, room: null as Room | null };

  /** Keeps room at once when there is enough. */
  constructor(path: string, { clock = () => performance.now() }: { readonly clock?: () => number } = {}) {
    this.#path = path;
    this.#clock = clock;
    this.#bytes = Math.floor(Math.min(RESERVE.bytes, (roomOf(dirname(path))?.size ?? 0) * RESERVE.share));
    this.#isHeld = this.#isThere();
    this.hasRoom();
  }

  /** Whether the room is kept. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /**
   * Whether there is room for more than reading and removing. There is none as soon as no more is free than another
   * database may have given up of its reserve: that is not for writes. Where there is room again, it is kept again.
   */
  hasRoom(): boolean {
    const { free = Number.POSITIVE_INFINITY } = this.#look() ?? {};
    const isDue = this.#clock() - this.#failedAt >= RETRY_MS;
    if (!this.#isHeld && isDue && free >= 3 * this.#bytes) this.#hold();
    return this.#isHeld ? free >= this.#bytes : free >= 2 * this.#bytes;
  }

  /**
   * Whether half of the room that is kept is still there, given up or not: for what makes more and must go on for a
   * while on a full disk. It leaves the other half to what removes.
   */
  hasHalf(): boolean {
    const isPlenty = (this.#look()?.free ?? Number.POSITIVE_INFINITY) >= this.#bytes;
    if (isPlenty) return true;
    // From here on each look counts, and another process may have given the room up.
    this.#isHeld &&= this.#isThere();
    return this.#isHeld || (roomOf(dirname(this.#path))?.free ?? Number.POSITIVE_INFINITY) >= this.#bytes / 2;
  }

  /** Gives the room up when hardly anything is left of the volume. True when it was given up now. */
  releaseWhenScarce(): boolean {
    return this.#releaseBelow(1 / 4);
  }

  /**
   * Gives the room up before somebody else on the volume is told by {@link DiskReserve.hasHalf} that there is none: for
   * what takes over what others have written, who then need less. True when it was given up now.
   */
  releaseForOthers(): boolean {
    return this.#releaseBelow(3 / 4);
  }

  /** Gives the room up. False when there was none to give. */
  release(): boolean {
    if (!this.#isHeld) return false;
    this.#isHeld = false;
    this.#looked = { at: Number.NEGATIVE_INFINITY, room: null };
    return this.#remove();
  }

  #releaseBelow(share: number): boolean {
    const { free = Number.POSITIVE_INFINITY } = this.#look() ?? {};
    return free < this.#bytes * share && this.release();
  }

  #isThere(): boolean {
    const found = lstatSync(this.#path, { throwIfNoEntry: false });
    return found?.isFile() === true && found.size >= this.#bytes;
  }

  /** False when that could not be. */
  #remove(): boolean {
    try {
      rmSync(this.#path, { force: true });
      return true;
    } catch {
      return false;
    }
  }

  #look(): Room | null {
    if (this.#clock() - this.#looked.at >= LOOK_MS)
      this.#looked = { at: this.#clock(), room: roomOf(dirname(this.#path)) };
    return this.#looked.room;
  }

  /** Random bytes: a file system that compresses keeps no room for others. */
  #hold(): void {
    try {
      // A new file: what stands under its name, a link even, is not written into.
      rmSync(this.#path, { force: true });
      const file = openSync(this.#path, "wx", 0o600);
      try {
        const block = randomBytes(Math.min(this.#bytes, MEBIBYTE));
        for (let left = this.#bytes; left > 0; left -= block.length)
          writeSync(file, block, 0, Math.min(left, block.length));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      this.#isHeld = true;
    } catch {
      this.#failedAt = this.#clock();
      this.#remove();
    }
  }
}
