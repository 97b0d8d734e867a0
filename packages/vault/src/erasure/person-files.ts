/**
 * What is held of a person beside their records while a legal hold is set or an erasure is under way: one note for each
 * person in the record store, so that a hold and an erasure that come at the same time are one compare-and-swap, of
 * which one wins whole. It is authenticated under a key of the vault: whoever writes to the database can take a note
 * away (the audit has it, from-log.ts) and can make none.
 */
import { VaultError } from "../errors.ts";
import type { AuditKeys } from "../audit/audit-keys.ts";
import type { Note, Notes } from "../stores/notes.ts";
import type { Scope, SubjectId } from "../stores/subjects.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { Remainder, WrappingKeyState } from "./certificate.ts";

/** What an erasure does next. `refused`: records are about others too, and nothing was destroyed. */
export type ErasureStep = "people" | "refused" | "tags" | "keys" | "records" | "space" | "done";

/** What is known of somebody before their keys go, for the certificate. */
export interface ErasedFacts {
  readonly records: number;
  readonly keys: number;
  readonly scopes: readonly Scope[];
  readonly generation: { readonly number: number; readonly isShared: boolean };
  readonly wrappingKeys: readonly WrappingKeyState[];
  readonly remains: readonly Remainder[];
}

/** An erasure under way. */
export interface ErasureFile {
  /** A UUID. */
  readonly id: string;
  /** A code. */
  readonly reason: string;
  readonly begunAt: string;
  readonly step: ErasureStep;
  /** Which state the person had, and gets again if it is refused. */
  readonly was: "active" | "restricted";
  readonly nameCommitment: string | null;
  /** Null: before the step `keys`. */
  readonly facts: ErasedFacts | null;
  /** Null: before the step `done`. */
  readonly doneAt: string | null;
}

/** A legal hold. */
export interface HoldFile {
  /** A UUID. */
  readonly id: string;
  /** A code. */
  readonly reason: string;
  readonly at: string;
}

/** A person's note. */
export interface PersonFile {
  readonly holds: readonly HoldFile[];
  readonly erasure: ErasureFile | null;
}

/** Most holds of one person at a time. */
export const MOST_HOLDS = 32;

const PEOPLE = "person/";
const LABEL = "strongroom/person-file/1";
const ATTEMPTS = 32;
/** As many as a store lists at once: with so many there may be more. */
const LISTED = 1_000;
/** What a person's id is written with. */
const DIGITS = "0123456789abcdef-";

const EMPTY: PersonFile = { holds: [], erasure: null };

/** The notes of people. */
export class PersonFiles {
  readonly #notes: Notes;
  readonly #keys: Pick<AuditKeys, "mac" | "verifies">;

  constructor(notes: Notes, keys: Pick<AuditKeys, "mac" | "verifies">) {
    this.#notes = notes;
    this.#keys = keys;
  }

  async read(id: SubjectId): Promise<PersonFile> {
    const note = await this.#noteOf(id);
    return (note === null ? null : this.#opened(note)) ?? EMPTY;
  }

  /**
   * Puts what `next` makes of what is there in its place; again when somebody else was faster.
   *
   * @throws VaultError `erasure-contended`; what `next` throws
   */
  async change(id: SubjectId, next: (found: PersonFile) => PersonFile): Promise<PersonFile> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const note = await this.#noteOf(id);
      const found = (note === null ? null : this.#opened(note)) ?? EMPTY;
      const changed = next(found);
      if (changed === found) return found;
      const isEmpty = changed.holds.length === 0 && changed.erasure === null;
      if (isEmpty && note === null) return changed;
      const text = isEmpty ? null : this.#sealed(id, changed);
      if ((await this.#notes.replace(nameOf(id), text, note?.text ?? null)) === "replaced") return changed;
    }
    throw new VaultError("erasure-contended", "Others keep changing what is held of the person");
  }

  /** Of everybody of whom there is one. */
  async list(): Promise<ReadonlyMap<SubjectId, PersonFile>> {
    const files = new Map<SubjectId, PersonFile>();
    for (const note of await notesBehind(this.#notes, PEOPLE)) {
      const id = note.name.slice(PEOPLE.length);
      const file = this.#opened(note);
      if (isSubjectId(id) && file !== null) files.set(id, file);
    }
    return files;
  }

  async #noteOf(id: SubjectId): Promise<Note | null> {
    const name = nameOf(id);
    return (await this.#notes.list(name)).find((note) => note.name === name) ?? null;
  }

  #sealed(id: SubjectId, file: PersonFile): string {
    const body = JSON.stringify(file);
    return `${Buffer.from(this.#keys.mac(signed(id, body))).toString("base64url")}\n${body}`;
  }

  /** Null: it is none that this vault has written, or another person's. */
  #opened({ name, text }: Note): PersonFile | null {
    const end = text.indexOf("\n");
    const [mac, body] = [Buffer.from(text.slice(0, Math.max(end, 0)), "base64url"), text.slice(end + 1)];
    // The vault has written what it authenticates: it has this form.
    return this.#keys.verifies(signed(name.slice(PEOPLE.length), body), mac) ? (JSON.parse(body) as PersonFile) : null;
  }
}

const nameOf = (id: SubjectId): string => `${PEOPLE}${id}`;

const signed = (id: string, body: string): Buffer => Buffer.from(`${LABEL}\n${id}\n${body}`, "utf8");

/** All notes behind a prefix that ends where a person's id begins, however many they are. */
export async function notesBehind(notes: Pick<Notes, "list">, prefix: string): Promise<readonly Note[]> {
  const found = await notes.list(prefix);
  if (found.length < LISTED) return found;
  const parts: Note[] = [];
  for (const digit of DIGITS) for (const note of await notesBehind(notes, `${prefix}${digit}`)) parts.push(note);
  return parts;
}
