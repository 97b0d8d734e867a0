// The names of the formats that are taken, apart from their code: --help and completion need no more than these.

/** As `--format` of an import takes them. */
export const INPUT_FORMAT_NAMES = ["ndjson", "json", "csv", "xlsx", "vcard", "ldif"] as const;

/** The name of a format that is taken. */
export type InputFormatName = (typeof INPUT_FORMAT_NAMES)[number];
