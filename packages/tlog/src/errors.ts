// What can be wrong with text that others wrote. Whoever shows it to a person makes an error of its own from the code.

/** Why a note, a key or a checkpoint was not taken. */
export type TlogErrorCode =
  /** The note, checkpoint or proof does not have its form, or exceeds a limit. */
  | "malformed"
  /** A verifier key does not have its form, or its kind is not known here. */
  | "key-malformed"
  /** No signature is by a key that is trusted. */
  | "unsigned"
  /** A signature names a key that is trusted and was not made by it. */
  | "signature-wrong";

/** Told by its `name` and `code`: each package carries a class of its own. */
export class TlogError extends Error {
  override readonly name = "TlogError";
  readonly code: TlogErrorCode;

  constructor(code: TlogErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The code of a {@link TlogError}, whichever package's class it is; null for anything else. */
export function tlogFailure(error: unknown): TlogErrorCode | null {
  return error instanceof Error && error.name === "TlogError" && "code" in error ? (error.code as TlogErrorCode) : null;
}
