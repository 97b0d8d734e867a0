// What the KMS process says to the `strongroom up` that started it, over their IPC channel.
import { z } from "zod";
import { CLI_ERRORS, type CliErrorCode } from "../errors.ts";
import { EXIT_CODES, type Outcome } from "../exit-codes.ts";

/** The child serves, or could not start and why. */
export type KmsMessage =
  | {
      readonly kind: "ready";
      /** Region -> URL. */
      readonly endpoints: Readonly<Record<string, string>>;
      readonly faultsEndpoint: string | null;
    }
  | ({ readonly kind: "failed" } & KmsFailure);

/** Why the KMS could not start, as the parent shows it. */
export interface KmsFailure {
  readonly code: CliErrorCode;
  readonly outcome: Outcome;
  /** The KMS's own code. */
  readonly reportedCode: string;
  readonly title: string;
  readonly detail: string;
  readonly remedy: string;
}

const schema: z.ZodType<KmsMessage> = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("ready"),
    endpoints: z.record(z.string(), z.string()),
    faultsEndpoint: z.string().nullable(),
  }),
  z.object({
    kind: z.literal("failed"),
    code: z.enum(Object.keys(CLI_ERRORS) as CliErrorCode[]),
    outcome: z.enum(Object.keys(EXIT_CODES) as Outcome[]),
    reportedCode: z.string(),
    title: z.string(),
    detail: z.string(),
    remedy: z.string(),
  }),
]);

/** Reads a message; null for anything else on the channel. */
export function parseKmsMessage(value: unknown): KmsMessage | null {
  return schema.safeParse(value).data ?? null;
}
