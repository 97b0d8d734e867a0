/**
 * Who signs checkpoints of the log. The vault's own key always does: Ed25519, from the audit's root. A key of a KMS may
 * do so too, whose secret no process has.
 */
import { formatCheckpoint } from "@strongroom/tlog/checkpoint";
import type { Checkpoint } from "@strongroom/tlog/checkpoint";
import { signerOf, signingKeyOf } from "@strongroom/tlog/keys";
import type { Verifier } from "@strongroom/tlog/keys";
import { formatSignature } from "@strongroom/tlog/note";

/** Signs checkpoints. */
export interface CheckpointSigner {
  /** As reports name it. */
  readonly name: string;
  /** Verifies its signatures of logs of this origin; a key that is named otherwise says so in the verifier's name. */
  verifierOf(origin: string): Verifier;
  /**
   * The signature of a checkpoint's text (`formatCheckpoint`), without the key id.
   *
   * @throws Error if it cannot sign now: what is signed by others is used without it, and it is asked again
   */
  sign(origin: string, text: string): Promise<Uint8Array>;
}

/** The vault's own signer. @param seed 32 bytes, which are wiped */
export function ownSigner(seed: Buffer): CheckpointSigner {
  const key = signingKeyOf(seed);
  const signers = new Map<string, ReturnType<typeof signerOf>>();
  // A process sees one history, or two when a restore is accepted.
  const signerFor = (origin: string): ReturnType<typeof signerOf> => {
    const signer = signers.get(origin) ?? signerOf(origin, "ed25519", key);
    signers.set(origin, signer);
    return signer;
  };
  return {
    name: "the vault's own key",
    verifierOf: signerFor,
    sign: async (origin, text) => signerFor(origin).sign(text),
  };
}

/** The name of a log: which vault's, and which history of it. */
export const originOf = (vault: string, history: string): string => `${originsOf(vault)}${history}`;

/** How the names of a vault's logs begin. */
export const originsOf = (vault: string): string => `strongroom/${vault}/`;

/** Between two signatures by keys of a KMS, at least: each is a call, and costs. */
const OTHERS_EVERY_MS = 60_000;

/** Signs notes by all keys that there are: by the own one each, by the others from time to time. */
export class NoteSigner {
  readonly #own: CheckpointSigner;
  readonly #others: readonly CheckpointSigner[];
  readonly #clock: () => Date;
  readonly #onFault: (error: unknown) => void;
  #othersAt = Number.NEGATIVE_INFINITY;

  constructor(
    own: CheckpointSigner,
    others: readonly CheckpointSigner[],
    { clock, onFault }: { readonly clock: () => Date; readonly onFault: (error: unknown) => void },
  ) {
    this.#own = own;
    this.#others = others;
    this.#clock = clock;
    this.#onFault = onFault;
  }

  /** The verifier of the vault's own key. */
  verifierOf(origin: string): Verifier {
    return this.#own.verifierOf(origin);
  }

  /** The next note is signed by all keys. */
  askOthers(): void {
    this.#othersAt = Number.NEGATIVE_INFINITY;
  }

  /** The signed note of a checkpoint. */
  async sign(checkpoint: Checkpoint): Promise<string> {
    const text = formatCheckpoint(checkpoint);
    const { origin } = checkpoint;
    const lines = [formatSignature(this.#own.verifierOf(origin), await this.#own.sign(origin, text))];
    for (const other of this.#dueOthers()) {
      try {
        lines.push(formatSignature(other.verifierOf(origin), await other.sign(origin, text)));
      } catch (error) {
        this.#onFault(error);
      }
    }
    return `${text}\n${lines.join("")}`;
  }

  #dueOthers(): readonly CheckpointSigner[] {
    const now = this.#clock().getTime();
    const since = now - this.#othersAt;
    // A clock that was set back must not keep them away for long.
    if (since >= 0 && since < OTHERS_EVERY_MS) return [];
    this.#othersAt = now;
    return this.#others;
  }
}
