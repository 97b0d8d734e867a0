// A witness of c2sp.org/tlog-witness: it is sent the checkpoint with a proof that it goes on from the one before, and
// answers with its cosignature, or with the size that it has seen instead.

import { boundedText } from "@strongroom/base/bounded-body";
import { formatConsistencyProof, parseCheckpoint, parseSizeLine } from "@strongroom/tlog/checkpoint";
import { parseVkey } from "@strongroom/tlog/keys";
import type { Verifier } from "@strongroom/tlog/keys";
import { openNote, parseNote, parseSignatureLines, tlogFailure } from "@strongroom/tlog/note";
import { storedTree } from "../audit/tree-rows.ts";
import { KmsError } from "../errors.ts";
import type { NewHead, Seen, Witness, WitnessedLog } from "./witness.ts";

const LIMITS = {
  timeoutMs: 5000,
  /** Of an answer: signature lines, or a size. */
  bytes: 65_536,
  /** Another process may tell the witness a newer size between two requests. */
  tries: 3,
} as const;

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|\[::1\]|localhost)$/;

type Answer =
  { readonly kind: "cosigned" } | { readonly kind: "has"; readonly size: number } | { readonly kind: "inconsistent" };

/** A service that cosigns checkpoints. */
export class UrlWitness implements Witness {
  readonly name: string;
  readonly #url: URL;
  readonly #verifier: Verifier | null;
  /** The size that it saw last, as far as is known. */
  #seen = 0;

  /** @throws KmsError `option-invalid`. */
  constructor(given: string) {
    const [address = "", vkey] = given.split(/#(.*)/s);
    const url = URL.canParse(address) ? new URL(`${address.replace(/\/+$/, "")}/add-checkpoint`) : null;
    if (url === null || !["http:", "https:"].includes(url.protocol) || url.username !== "" || url.search !== "")
      throw new KmsError(
        "option-invalid",
        "a witness's address is http(s)://HOST/PREFIX, without a query or a password.",
      );
    this.#url = url;
    this.#verifier = vkey === undefined || vkey === "" ? null : readVkey(vkey);
    if (this.#verifier === null && url.protocol === "http:" && !LOOPBACK.test(url.hostname))
      throw new KmsError(
        "option-invalid",
        "a witness elsewhere is asked over https, or its verifier key is given after #.",
      );
    this.name = `the witness ${url.host}`;
  }

  async examine(log: WitnessedLog): Promise<Seen> {
    const { size } = log.checkpoint;
    try {
      const before = await this.#submit({ ...log, size });
      return before === 0 ? { kind: "nothing" } : { kind: "seen", size: before };
    } catch (error) {
      if (error instanceof KmsError) throw error;
      return { kind: "away", reason: reasonOf(error) };
    }
  }

  async record(head: NewHead): Promise<void> {
    await this.#submit(head);
  }

  read(): Promise<null> {
    return Promise.resolve(null);
  }

  /** Sends a state until it is cosigned; gives the size that the witness had. */
  async #submit(head: NewHead): Promise<number> {
    for (let tries = 0; tries < LIMITS.tries; tries++) {
      const from = Math.min(this.#seen, head.size);
      const answer = await this.#post(head, from);
      if (answer.kind === "inconsistent" || (answer.kind === "has" && answer.size === from && from > 0))
        throw new KmsError(
          "audit-set-back",
          `${this.name} has seen other entries than the first ${from} that are here.`,
        );
      if (answer.kind === "cosigned") {
        this.#seen = head.size;
        return from;
      }
      if (answer.size > head.size)
        throw new KmsError(
          "audit-set-back",
          `${this.name} has seen ${answer.size} entries, and there are ${head.size}.`,
        );
      this.#seen = answer.size;
    }
    throw new Error("it names another size each time");
  }

  async #post({ db, note, size }: NewHead, from: number): Promise<Answer> {
    const proof = await storedTree(db).proveConsistency(from, size);
    const response = await fetch(this.#url, {
      method: "POST",
      body: formatConsistencyProof(from, proof, note),
      headers: { "content-type": "text/plain; charset=utf-8" },
      redirect: "error",
      signal: AbortSignal.timeout(LIMITS.timeoutMs),
    });
    const text = await boundedText(response, LIMITS.bytes);
    switch (response.status) {
      case 200:
        this.#requireCosigned(note, text);
        return { kind: "cosigned" };
      case 409:
        return { kind: "has", size: parseSizeLine(text) };
      case 422:
        return { kind: "inconsistent" };
      case 404:
        throw new Error(`it does not know the log ${originOf(note)}: give it the key that \`audit key\` prints`);
      case 403:
        throw new Error("it has another key of this log: give it the one that `audit key` prints");
      default:
        throw new Error(`it answers with status ${response.status}`);
    }
  }

  #requireCosigned(note: string, lines: string): void {
    if (parseSignatureLines(lines).length > 0 && this.#verifier === null) return;
    if (this.#verifier !== null) openNote(`${note}${lines}`, [this.#verifier]);
  }
}

const originOf = (note: string): string => parseCheckpoint(parseNote(note).text).origin;

function readVkey(vkey: string): Verifier {
  try {
    return parseVkey(decodeURIComponent(vkey));
  } catch (cause) {
    throw new KmsError("option-invalid", "what follows the # of the witness's address is no verifier key.", { cause });
  }
}

/** fetch hides the system's reason in the cause. */
function reasonOf(error: unknown): string {
  if (tlogFailure(error) !== null) return "its answer is no cosignature of this checkpoint by its key";
  const { name, message, cause } = error as { name?: string; message?: string; cause?: { code?: unknown } };
  if (name === "TimeoutError") return "no answer in time";
  return typeof cause?.code === "string" ? `no connection (${cause.code})` : (message ?? "unknown");
}
