/**
 * Whatever a request ended with, as an error with a code.
 */
import { VaultError } from "@strongroom/vault";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { ServerError } from "../errors.ts";
import type { ServerErrorCode } from "../errors.ts";

interface Meaning {
  readonly code: ServerErrorCode;
  readonly says: string;
}

/** Codes of Fastify and Node -> what they mean here. Their own messages may quote the URL. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
  ["FST_ERR_BAD_URL", { code: "url-invalid", says: "The path is not valid percent-encoded UTF-8" }],
  ["FST_ERR_MAX_PARAM_LENGTH", { code: "url-invalid", says: "A part of the path is too long" }],
  ["FST_ERR_CTP_BODY_TOO_LARGE", { code: "body-too-large", says: "The body is larger than this route takes" }],
  [
    "FST_ERR_CTP_INVALID_MEDIA_TYPE",
    { code: "content-type-unsupported", says: "The body must be JSON, sent as application/json" },
  ],
  [
    "FST_ERR_CTP_INVALID_CONTENT_LENGTH",
    { code: "body-incomplete", says: "The body is not as long as Content-Length says" },
  ],
  ["ECONNRESET", { code: "body-incomplete", says: "The connection was closed before the body was complete" }],
]);

/** How a request may end: an expected error, or one that is a fault of the service and goes to the log. */
export interface KnownError {
  readonly error: VaultError | ServerError;
  /** Null when the error was expected. */
  readonly fault: unknown;
}

export function knownError(error: unknown): KnownError {
  if (error instanceof VaultError || error instanceof ServerError) return { error, fault: null };
  if (hasZodFastifySchemaValidationErrors(error)) {
    const problems = error.validation.map(({ instancePath, message }) => ({
      path: `${error.validationContext ?? ""}${instancePath}`,
      message: message ?? "is not valid",
    }));
    const listed = problems.map(({ path, message }) => `${path}: ${message}`).join("; ");
    return { error: new ServerError("request-invalid", listed, { problems }), fault: null };
  }
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  const meaning = MEANINGS.get(code);
  if (meaning !== undefined) return { error: new ServerError(meaning.code, meaning.says), fault: null };
  return { error: new ServerError("internal", "The service met an error that it did not expect"), fault: error };
}
