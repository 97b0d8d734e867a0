/**
 * Certificates as they are kept in the record store, one note for each erased person. They prove themselves: what
 * somebody changes there is refused by whoever verifies it, and what somebody takes away is made anew from the audit's
 * word that it was done.
 */
import type { AuditKeys } from "../audit/audit-keys.ts";
import { VaultError } from "../errors.ts";
import type { Notes } from "../stores/notes.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { isSubjectId } from "../stores/subjects.ts";
import { CertificateSigner, verifyCertificate } from "./certificate.ts";
import type { CertificateFacts } from "./certificate.ts";
import { notesBehind } from "./person-files.ts";

/** A signed note, by the vault's key of certificates. */
export function signedCertificate(keys: Pick<AuditKeys, "vault" | "certificateSeed">, facts: CertificateFacts): string {
  using seed = keys.certificateSeed();
  return new CertificateSigner(keys.vault, Buffer.from(seed.bytes)).sign(facts);
}

const PREFIX = "certificate/";
const ATTEMPTS = 16;

export class Certificates {
  readonly #notes: Notes;
  readonly #key: string;

  /** @param key the verifier key of this vault's certificates */
  constructor(notes: Notes, key: string) {
    this.#notes = notes;
    this.#key = key;
  }

  /** The verifier key. */
  get key(): string {
    return this.#key;
  }

  /** Null: there is none, or it is none that this vault has signed. */
  async read(id: SubjectId): Promise<string | null> {
    const text = await this.#textOf(id);
    return text !== null && this.#isOf(text, id) ? text : null;
  }

  /** Keeps it; of an earlier one of the same person it takes the place. @throws VaultError `erasure-contended` */
  async keep(id: SubjectId, certificate: string): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const seen = await this.#textOf(id);
      if (seen === certificate) return;
      if ((await this.#notes.replace(`${PREFIX}${id}`, certificate, seen)) === "replaced") return;
    }
    throw new VaultError("erasure-contended", "Others keep changing the certificate of the person");
  }

  /** Everybody of whom there is one, however many they are. */
  async people(): Promise<readonly SubjectId[]> {
    const notes = await notesBehind(this.#notes, PREFIX);
    return notes.map(({ name }) => name.slice(PREFIX.length)).filter(isSubjectId);
  }

  async #textOf(id: SubjectId): Promise<string | null> {
    const name = `${PREFIX}${id}`;
    return (await this.#notes.list(name)).find((note) => note.name === name)?.text ?? null;
  }

  #isOf(text: string, id: SubjectId): boolean {
    try {
      return verifyCertificate(text, this.#key).facts.person === id;
    } catch {
      return false;
    }
  }
}
