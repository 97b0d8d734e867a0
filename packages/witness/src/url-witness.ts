// A witness of c2sp.org/tlog-witness: it is sent the checkpoint with a proof that it goes on from the one before, and
// answers with its cosignature, or with the size that it has seen instead.

import { boundedText } from "@strongroom/base/bounded-body";
import { formatConsistencyProof, parseCheckpoint, parseSizeLine } from "@strongroom/tlog/checkpoint";
import { parseVkey } from "@strongroom/tlog/keys";
import type { Verifier } from "@strongroom/tlog/keys";
import { openNote, parseNote, parseSignatureLines, tlogFailure } from "@strongroom/tlog/note";
import type { Seen, SignedHead, Witness, WitnessFailures } from "./witness.ts";

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

/** What became of a state that was sent. */
type Submission =
  /** The witness had `before` entries until then. */
  | { readonly kind: "cosigned"; readonly before: number }
  /** It has seen `size` entries, which are more than there are. */
  | { readonly kind: "has-more"; readonly size: number }
  /** It has seen other entries than the first `size`. */
  | { readonly kind: "has-others"; readonly size: number };

/** How it is used. */
export interface UrlWitnessOptions {
  /**
   * Whether other processes tell it of the same log: then one that was slower finds more there than it has, and all is
   * well. With one, that is another log of the same name.
   */
  readonly tellers: "one" | "several";
  readonly failures: WitnessFailures;
}

/** A service that cosigns checkpoints. */
export class UrlWitness implements Witness {
  readonly name: string;
  readonly #url: URL;
  readonly #verifier: Verifier | null;
  readonly #options: UrlWitnessOptions;
  /** The size that it saw last, as far as is known. */
  #seen = 0;

  /**
   * @param given http(s)://HOST/PREFIX, and after a `#` the witness's verifier key
   * @throws what `WitnessFailures.invalid` makes
   */
  constructor(given: string, options: UrlWitnessOptions) {
    const { failures } = options;
    const [address = "", vkey] = given.split(/#(.*)/s);
    const url = URL.canParse(address) ? new URL(`${address.replace(/\/+$/, "")}/add-checkpoint`) : null;
    if (url === null || !["http:", "https:"].includes(url.protocol) || url.username !== "" || url.search !== "")
      throw failures.invalid("a witness's address is http(s)://HOST/PREFIX, without a query or a password.");
    this.#url = url;
    this.#verifier = vkey === undefined || vkey === "" ? null : readVkey(vkey, failures);
    if (this.#verifier === null && url.protocol === "http:" && !LOOPBACK.test(url.hostname))
      throw failures.invalid("a witness elsewhere is asked over https, or its verifier key is given after #.");
    this.#options = options;
    this.name = `the witness ${url.host}`;
  }

  async examine(log: SignedHead): Promise<Seen> {
    let submitted: Submission;
    try {
      submitted = await this.#submit(log);
    } catch (error) {
      return { kind: "away", reason: reasonOf(error) };
    }
    const before = this.#requireCosigned(submitted, log);
    return before === 0 ? { kind: "nothing" } : { kind: "seen", size: before };
  }

  async record(head: SignedHead): Promise<void> {
    const submission = await this.#submit(head);
    if (submission.kind === "has-more" && this.#options.tellers === "several") return;
    this.#requireCosigned(submission, head);
  }

  read(): Promise<null> {
    return Promise.resolve(null);
  }

  /** The size that the witness had. */
  #requireCosigned(submission: Submission, { checkpoint: { size } }: SignedHead): number {
    const { failures } = this.#options;
    switch (submission.kind) {
      case "cosigned":
        return submission.before;
      case "has-more":
        throw failures.setBack(`${this.name} has seen ${submission.size} entries, and there are ${size}.`);
      case "has-others":
        throw failures.setBack(`${this.name} has seen other entries than the first ${submission.size} that are here.`);
    }
  }

  /** Sends a state until it is cosigned. @throws Error if the witness cannot be asked. */
  async #submit(head: SignedHead): Promise<Submission> {
    const { size } = head.checkpoint;
    for (let tries = 0; tries < LIMITS.tries; tries++) {
      const from = Math.min(this.#seen, size);
      const answer = await this.#post(head, from);
      if (answer.kind === "inconsistent" || (answer.kind === "has" && answer.size === from && from > 0))
        return { kind: "has-others", size: from };
      if (answer.kind === "cosigned") {
        this.#seen = size;
        return { kind: "cosigned", before: from };
      }
      if (answer.size > size) return { kind: "has-more", size: answer.size };
      this.#seen = answer.size;
    }
    throw new Error("it names another size each time");
  }

  async #post({ note, tree, checkpoint: { size } }: SignedHead, from: number): Promise<Answer> {
    const proof = await tree.proveConsistency(from, size);
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
        this.#requireSignature(note, text);
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

  #requireSignature(note: string, lines: string): void {
    if (parseSignatureLines(lines).length > 0 && this.#verifier === null) return;
    if (this.#verifier !== null) openNote(`${note}${lines}`, [this.#verifier]);
  }
}

const originOf = (note: string): string => parseCheckpoint(parseNote(note).text).origin;

function readVkey(vkey: string, failures: WitnessFailures): Verifier {
  try {
    return parseVkey(decodeURIComponent(vkey));
  } catch (cause) {
    throw failures.invalid("what follows the # of the witness's address is no verifier key.", cause);
  }
}

/** fetch hides the system's reason in the cause. */
function reasonOf(error: unknown): string {
  if (tlogFailure(error) !== null) return "its answer is no cosignature of this checkpoint by its key";
  const { name, message, cause } = error as { name?: string; message?: string; cause?: { code?: unknown } };
  if (name === "TimeoutError") return "no answer in time";
  return typeof cause?.code === "string" ? `no connection (${cause.code})` : (message ?? "unknown");
}
