// What every implementation of the message format looks like from here: it writes a message, it reads one, and it says
// beforehand what it cannot do.

/**
 * Wrapping keys as all peers get them. Made for one run; they reach the peers through a pipe, never through arguments
 * or the environment.
 */
export type KeySpec =
  | { readonly kind: "raw-aes"; readonly namespace: string; readonly name: string; /** base64 */ readonly key: string }
  | {
      readonly kind: "raw-rsa";
      readonly namespace: string;
      readonly name: string;
      readonly hash: RsaHash;
      /** SPKI PEM */ readonly publicKey: string;
      /** PKCS#8 PEM */ readonly privateKey: string;
    }
  | {
      readonly kind: "kms";
      readonly keys: readonly KmsKey[];
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
    };

/** A key in one region; the first of several generates the data key. */
export interface KmsKey {
  readonly keyArn: string;
  readonly region: string;
  readonly endpoint: string;
}

export type RsaHash = "sha1" | "sha256" | "sha384" | "sha512";

export interface Suite {
  /** As the message header has it, such as 0x0478. */
  readonly id: number;
  /** The specification's name for it, shortened. */
  readonly name: string;
  readonly committing: boolean;
}

/** Not every SDK takes a context with an empty key or value. */
export type ContextKind = "plain" | "empty-entries";

/** One message to be written. */
export interface Cell {
  readonly suite: Suite;
  /** Bytes per frame; 0 is a message without frames. */
  readonly frameLength: number;
  readonly plaintext: Uint8Array;
  readonly context: {
    readonly kind: ContextKind;
    readonly name: string;
    readonly pairs: Readonly<Record<string, string>>;
  };
  readonly keys: { readonly name: string; readonly spec: KeySpec };
}

export interface Opened {
  readonly plaintext: Uint8Array;
  /** The context that the message authenticated, reserved keys included. */
  readonly context: Readonly<Record<string, string>>;
}

export interface Peer {
  readonly id: string;
  /** With its version, as the table shows it. */
  readonly title: string;
  /** Why it does not write such a message by design; null when it should. */
  cannotWrite(cell: Cell): string | null;
  /** Why it does not read such a message by design; null when it should. */
  cannotRead(cell: Cell): string | null;
  encrypt(cell: Cell): Promise<Uint8Array>;
  /**
   * `cell` is what the message was made from; an implementation takes its keys and expectations from it, never the
   * plaintext.
   */
  decrypt(message: Uint8Array, cell: Cell): Promise<Opened>;
  close(): Promise<void>;
}
