// The databases whose typed values are taken out of their wrapping, apart from the code that does it: --help and
// completion need no more than these.

/** As `--unwrap` of an import takes them. */
export const TYPED_VALUES = ["dynamodb", "mongodb"] as const;

/** Whose typed values. */
export type TypedValues = (typeof TYPED_VALUES)[number];
