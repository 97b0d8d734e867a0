// The program in `go/`, which verifies logs with implementations that know nothing of Strongroom.

import { join } from "node:path";
import { type LineProcess, lineProcess } from "../line-process.ts";
import { here, prepare } from "../toolchain.ts";

/** Implementations, and whether they know cosignatures of ML-DSA-44. */
export const LIBRARIES = {
  "x-mod": { title: "golang.org/x/mod/sumdb", mlDsa: false },
  "transparency-dev": { title: "transparency-dev/formats and merkle", mlDsa: true },
  torchwood: { title: "filippo.io/torchwood", mlDsa: false },
} as const;

export type Library = keyof typeof LIBRARIES;

/** What is to be verified, in the texts that Strongroom gives out. */
export interface Claim {
  readonly kind: "checkpoint" | "inclusion" | "consistency";
  /** Verifier keys: all of them must have signed. */
  readonly keys: readonly string[];
  /** A checkpoint; a c2sp.org/tlog-proof; or what a witness is sent. */
  readonly proof: string | Uint8Array;
  /** The entry that is in the log; the older checkpoint. */
  readonly of: string | Uint8Array;
}

/** A verifier key, and whether every implementation knows its kind. */
export interface ClaimedKey {
  readonly vkey: string;
  readonly isEd25519: boolean;
}

/** What is claimed of a log. */
export interface ClaimedLog {
  readonly name: string;
  readonly claims: readonly (Omit<Claim, "keys"> & { readonly keys: readonly ClaimedKey[] })[];
}

/** The program, until it is closed. */
export class Verifier {
  readonly #process: LineProcess<{ readonly error?: string }>;

  private constructor(program: string) {
    this.#process = lineProcess("the verifier of logs", [program]);
  }

  /** Builds it, once; or why it is not there. */
  static start(): Verifier | string {
    const prepared = prepare({
      id: "logs",
      sources: ["logs/go/go.mod", "logs/go/go.sum", "logs/go/main.go"],
      steps: (folder) => [["go", "build", "-C", here("logs/go"), "-o", join(folder, "verifier"), "."]],
    });
    return prepared.kind === "missing" ? prepared.reason : new Verifier(join(prepared.folder, "verifier"));
  }

  /** Why a library refuses a claim; null: it does not. */
  async refusal(by: Library, { kind, keys, proof, of }: Claim): Promise<string | null> {
    const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString("base64");
    const request = { by, kind, keys, proof: base64(proof), of: base64(of) };
    return this.#process.ask(request).then(
      () => null,
      (error: unknown) => (error as Error).message,
    );
  }

  close(): Promise<void> {
    return this.#process.close();
  }
}
