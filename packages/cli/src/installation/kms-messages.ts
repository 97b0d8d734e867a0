// What the KMS process says to the `strongroom up` that started it, over their IPC channel.
import { z } from "zod";

/** The child serves, or could not start and why. */
export type KmsMessage =
  | {
      readonly kind: "ready";
      /** Region -> URL. */
      readonly endpoints: Readonly<Record<string, string>>;
      readonly faultsEndpoint: string | null;
    }
  | { readonly kind: "failed"; readonly code: string; readonly title: string; readonly detail: string; readonly remedy: string };

const schema: z.ZodType<KmsMessage> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ready"), endpoints: z.record(z.string(), z.string()), faultsEndpoint: z.string().nullable() }),
  z.object({ kind: z.literal("failed"), code: z.string(), title: z.string(), detail: z.string(), remedy: z.string() }),
]);

/** Reads a message; null for anything else on the channel. */
export function parseKmsMessage(value: unknown): KmsMessage | null {
  return schema.safeParse(value).data ?? null;
}
