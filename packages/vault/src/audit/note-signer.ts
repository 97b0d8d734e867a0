/**
 * A key of a vault that signs notes (c2sp.org/signed-note) of one kind and nothing else, so that none of them passes
 * for a note of another kind.
 */
import { signNote } from "@strongroom/tlog/note";
import { signerOf, signingKeyOf } from "@strongroom/tlog/keys";
import type { Signer } from "@strongroom/tlog/keys";

/** The name of the key that signs a vault's notes of a kind. */
export const signerName = (vault: string, kind: string): string => `strongroom/${vault}/${kind}`;

/** Signs notes of a kind. @param seed 32 bytes, which are wiped */
export class NoteSigner {
  readonly #signer: Signer;

  constructor(vault: string, kind: string, seed: Buffer) {
    this.#signer = signerOf(signerName(vault, kind), "ed25519", signingKeyOf(seed));
  }

  /** The verifier key. */
  get key(): string {
    return this.#signer.vkey;
  }

  /** @throws TlogError where the text is none of a note */
  signed(text: string): string {
    return signNote(text, [this.#signer]);
  }
}
