/**
 * The AWS Encryption SDK for JavaScript over the same regions, each of its operations capped: some of them never end.
 */
import { buildClient, CommitmentPolicy, KmsKeyringNode } from "@aws-crypto/client-node";
import type { Region } from "./regions.ts";

export interface PeerOutcome {
  /** `hangs`: no answer within the cap. */
  readonly kind: "ok" | "fails" | "hangs";
  readonly elapsedMs: number;
}

const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);

export class Peer {
  // Its classes do not match one another's private members.
  readonly #keyring: never;
  readonly #end: () => void;

  constructor(regions: readonly Region[]) {
    const clients = new Map(regions.map((region) => [region.name, region.ordinaryClient()]));
    const keyring = new KmsKeyringNode({
      generatorKeyId: regions[0]?.keyArn ?? "",
      keyIds: regions.slice(1).map(({ keyArn }) => keyArn),
      // Its types are of the SDK version it was made with; the client is the same.
      clientProvider: ((region: string) => clients.get(region) ?? false) as never,
    });
    this.#keyring = keyring as never;
    this.#end = () => {
      for (const client of clients.values()) client.destroy();
    };
  }

  read(message: Uint8Array, capMs: number): Promise<PeerOutcome> {
    return this.#capped(() => decrypt(this.#keyring, message), capMs);
  }

  write(plaintext: Uint8Array, encryptionContext: Record<string, string>, capMs: number): Promise<PeerOutcome> {
    return this.#capped(() => encrypt(this.#keyring, plaintext, { encryptionContext }), capMs);
  }

  end(): void {
    this.#end();
  }

  async #capped(work: () => Promise<unknown>, capMs: number): Promise<PeerOutcome> {
    const startedAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const cap = new Promise<"hangs">((resolve) => {
      timer = setTimeout(() => {
        resolve("hangs");
      }, capMs);
    });
    const done = work().then(
      () => "ok" as const,
      () => "fails" as const,
    );
    const kind = await Promise.race([done, cap]);
    clearTimeout(timer);
    return { kind, elapsedMs: performance.now() - startedAt };
  }
}
