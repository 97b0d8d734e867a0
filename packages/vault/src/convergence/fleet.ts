/**
 * The processes that use the stores: each says now and then that it is alive, which key sets it knows, which scopes it
 * declares and whether it works on a run, in a note of its own. Whoever puts another key set in force looks first
 * whether all of them know it: one that does not would stop writing.
 *
 * A note is a row, and a row is anybody's: what is in it decides nothing that the database's owner must not decide. A
 * forged one holds an `apply` back, or has it refused where it could be made; no data hangs on it. What no process says
 * of itself is not known: that is told, and not taken for agreement.
 */
import type { Note, Notes } from "../stores/notes.ts";
import { isMoment, objectIn } from "./note-text.ts";
import type { FleetSeen } from "./plan-problems.ts";
import { Recurring } from "./recurring.ts";
import type { FleetMember, WrappedStore } from "./view.ts";

/** What a process says of itself. */
export interface FleetNote {
  /** ISO 8601, UTC, by its own clock. */
  readonly at: string;
  /** Digests of the key sets that it knows, of each store. */
  readonly records: readonly string[];
  readonly keys: readonly string[];
  /** Digest of the scopes that it declares. */
  readonly scopes: string;
  /** Whether it works on a run. */
  readonly works: boolean;
}

/** Of the names of the notes by which processes say that they use a store. */
export const FLEET_PREFIX = "fleet/";

/** So often a process says that it is alive, and for so long it is believed, in milliseconds. */
export const ANNOUNCE_EVERY_MS = 15_000;
export const ALIVE_MS = 60_000;

/** A note that is older, or as far ahead, is taken away by anybody. */
const STALE_MS = 24 * 3600 * 1000;

/** Most notes that a list has: where there are as many there may be more. */
const MOST_LISTED = 1000;

/** Stale notes that one turn takes away, so that it stays short. */
const MOST_TAKEN = 50;

/** Digests that a process knows of one store: a handful. */
const MOST_DIGESTS = 16;
const DIGEST = /^[0-9a-f]{64}$/;

export function fleetNoteText({ at, records, keys, scopes, works }: FleetNote): string {
  const [known, knownOfKeys] = [records.slice(0, MOST_DIGESTS), keys.slice(0, MOST_DIGESTS)];
  return JSON.stringify({ at, records: known, keys: knownOfKeys, scopes, works });
}

/** Null: no process of this version writes that. */
export function parseFleetNote(text: string): FleetNote | null {
  const found = objectIn(text);
  if (found === null || Object.keys(found).length !== 5) return null;
  const { at, records, keys, scopes, works } = found;
  if (!isMoment(at) || !isDigests(records) || !isDigests(keys) || !isDigest(scopes)) return null;
  return typeof works === "boolean" ? { at, records, keys, scopes, works } : null;
}

const isDigest = (value: unknown): value is string => typeof value === "string" && DIGEST.test(value);

function isDigests(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= MOST_DIGESTS && value.every(isDigest);
}

/** What members are held against: digests; null where nothing was ever written, which everybody knows. */
export interface FleetDigests {
  readonly inForce: Readonly<Partial<Record<WrappedStore, string | null>>>;
  /** Of whoever asks. */
  readonly declared: Readonly<Partial<Record<WrappedStore, string>>>;
  readonly scopes: string;
}

/** The members, in the order of their names. */
export function readFleet(notes: readonly Note[], { inForce, declared, scopes }: FleetDigests, now: number): FleetSeen {
  let unknown = notes.length >= MOST_LISTED ? 1 : 0;
  const members: FleetMember[] = [];
  for (const { name, text } of notes) {
    const note = parseFleetNote(text);
    if (note === null) {
      unknown++;
      continue;
    }
    const knows = (digests: Readonly<Partial<Record<WrappedStore, string | null>>>): boolean =>
      (["records", "keys"] as const).every((store) => {
        const digest = digests[store] ?? null;
        return digest === null || note[store].includes(digest);
      });
    members.push({
      process: name.slice(FLEET_PREFIX.length),
      seenAt: note.at,
      isAlive: isAlive(note, now),
      knowsInForce: knows(inForce),
      knowsDeclared: knows(declared),
      declaresScopes: note.scopes === scopes,
      works: note.works,
    });
  }
  return { members, unknown };
}

/** What is ahead may well be alive: one of the two clocks was set back. */
const isAlive = ({ at }: Pick<FleetNote, "at">, now: number): boolean => now - Date.parse(at) < ALIVE_MS;

/** How many processes are alive and work on a run. */
export function workersAlive(notes: readonly Note[], now: number): number {
  return notes.filter(({ text }) => {
    const note = parseFleetNote(text);
    return note?.works === true && isAlive(note, now) && Date.parse(note.at) - now < ALIVE_MS;
  }).length;
}

/** What a process announces itself with. */
export interface FleetDependencies {
  readonly notes: Notes;
  /** What it calls itself, of `a-z0-9._-`: {@link processName}. */
  readonly process: string;
  readonly clock: () => Date;
  /** What it says now. */
  readonly says: () => Omit<FleetNote, "at">;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What a process calls itself in a note's name. */
export function processName(host: string, pid: number, random: string): string {
  const name = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, "-")
    .slice(0, 48);
  return `${name}-${pid}-${random.slice(0, 8)}`;
}

/** Tries of a note against whoever else writes it. */
const WRITE_ATTEMPTS = 3;

/** Announces this process from when it is made until it is closed. */
export class FleetAnnouncer {
  readonly #d: FleetDependencies;
  readonly #announcing: Recurring;
  /** As it was last written; null: it is not there, as far as is known. */
  #written: string | null = null;
  #turns: Promise<void> = Promise.resolve();
  /** Notes that nobody here can read, and since when they are the same: by a clock that nobody sets. */
  #strange: ReadonlyMap<string, { readonly text: string; readonly since: number }> = new Map();

  constructor(dependencies: FleetDependencies) {
    const { sleep } = dependencies;
    // What fails is said again by the next turn, and told to nobody.
    const parts = { turn: () => this.announce(), onFault: () => undefined, sleep };
    this.#d = dependencies;
    this.#announcing = new Recurring({ ...parts, everyMs: ANNOUNCE_EVERY_MS });
  }

  /** What it says has changed: it is said now. */
  changed(): void {
    this.#announcing.wake();
  }

  /** Says it now. What fails is said again in a while. */
  async announce(): Promise<void> {
    this.#turns = this.#turns.then(() => this.#turn()).catch(() => undefined);
    await this.#turns;
  }

  /** Takes the note away. A process that is killed leaves it there, and is dead after a while. */
  async close(): Promise<void> {
    await this.#announcing.stop();
    await this.#turns;
    await this.#d.notes.replace(this.#name, null, this.#written).catch(() => undefined);
  }

  /** @throws VaultError of the store */
  async #turn(): Promise<void> {
    const { notes, clock, says } = this.#d;
    const all = await notes.list(FLEET_PREFIX);
    if (this.#announcing.isStopped) return;
    const at = clock();
    const text = fleetNoteText({ at: at.toISOString(), ...says() });
    for (let attempt = 1; attempt <= WRITE_ATTEMPTS; attempt++) {
      if ((await notes.replace(this.#name, text, this.#written)) === "replaced") {
        this.#written = text;
        break;
      }
      // Somebody took it away, or wrote another one.
      const own = (await notes.list(this.#name)).find(({ name }) => name === this.#name);
      this.#written = own?.text ?? null;
    }
    await this.#takeStale(all, at.getTime());
  }

  async #takeStale(all: readonly Note[], now: number): Promise<void> {
    const strange = new Map<string, { readonly text: string; readonly since: number }>();
    const stale: Note[] = [];
    for (const note of all) {
      if (note.name === this.#name) continue;
      const read = parseFleetNote(note.text);
      if (read === null) {
        // A process of a later version writes its own anew all the time.
        const known = this.#strange.get(note.name);
        const since = known?.text === note.text ? known.since : performance.now();
        strange.set(note.name, { text: note.text, since });
        if (performance.now() - since >= STRANGE_MS) stale.push(note);
      } else if (Math.abs(now - Date.parse(read.at)) >= STALE_MS) stale.push(note);
    }
    this.#strange = strange;
    for (const { name, text } of stale.slice(0, MOST_TAKEN)) await this.#d.notes.replace(name, null, text);
  }

  get #name(): string {
    return `${FLEET_PREFIX}${this.#d.process}`;
  }
}

/** A note that nobody here can read, and that has not changed for so long, is nobody's. */
const STRANGE_MS = 5 * ALIVE_MS;
