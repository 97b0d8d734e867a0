/**
 * Headers of answers, for the OpenAPI document.
 */

/** Header -> its JSON Schema. */
export type AnswerHeaders = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

declare module "fastify" {
  interface FastifySchema {
    /** Status -> headers of that answer. */
    answerHeaders?: Readonly<Record<number, AnswerHeaders>>;
  }
}

export const VERSION_HEADERS: AnswerHeaders = {
  ETag: { type: "string", description: "The version, quoted: what If-Match takes.", examples: ['"3"'] },
};

export const RECORD_HEADERS: AnswerHeaders = {
  ...VERSION_HEADERS,
  "Strongroom-Version": { type: "integer", minimum: 1, description: "The version.", examples: [3] },
  "Strongroom-Subject": {
    type: "string",
    description: "Whom the record is about, percent-encoded.",
    examples: ["C000127"],
  },
  "Last-Modified": {
    type: "string",
    description: "When this version was written (HTTP date).",
    examples: ["Wed, 04 Mar 2026 05:06:07 GMT"],
  },
};
