/**
 * The forms of requests and answers about erasures and legal holds. Names of people are in bodies, never in a URL:
 * those are in the logs of whatever lies between.
 */
import type { ErasureResult, ErasureUnderWay, Hold, SubjectId } from "@strongroom/vault";
import { z } from "zod";
import { timestamp } from "./schemas.ts";

const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, "must be a UUID");

/** A person's opaque id, as it stands in a path. */
export const personId: z.ZodType<SubjectId> = uuid.meta({
  description: "The person's opaque id.",
}) as unknown as z.ZodType<SubjectId>;

const reason = z
  .string()
  .regex(/^[a-z0-9.-]{1,64}$/, "must be 1 to 64 characters of a-z, 0-9, '.' and '-'")
  .meta({ description: "Why, as a code: it stays in the audit in clear.", examples: ["art-17"] });
const subject = z
  .string()
  .min(1, "must not be empty")
  .max(512, "must be at most 512 characters")
  .meta({ description: "The person's name, as records are written about them." });
const tenant = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "must be a tenant")
  .optional();

/** Somebody by name. */
export const eraseRequest: z.ZodType<{
  readonly subject: string;
  readonly tenant?: string | undefined;
  readonly reason: string;
}> = z.strictObject({ subject, tenant, reason }).meta({ id: "EraseRequest" });

/** Why, where the person is in the path. */
export const reasonRequest: z.ZodType<{ readonly reason: string }> = z
  .strictObject({ reason })
  .meta({ id: "ErasureReason" });

const step = z.enum(["people", "refused", "tags", "keys", "records", "space", "done"]);

export const erasureAnswer: z.ZodType<ErasureResult> = z
  .object({
    state: z.enum(["erased", "erasing"]).meta({ description: "`erasing`: half done; it goes on by itself." }),
    person: personId,
    erasure: uuid.nullable(),
    step: step.nullable().meta({ description: "What is done next; null: nothing." }),
    problem: z.string().nullable().meta({ description: "The code of what it stopped at; null: nothing." }),
    certificate: z.string().nullable().meta({ description: "A signed note; null: it is not done." }),
    key: z.string().meta({ description: "The verifier key of certificates." }),
    salt: z.string().nullable().meta({ description: "For the person alone: proof that the certificate is theirs." }),
  })
  .meta({ id: "ErasureAnswer" });

export const certificateAnswer: z.ZodType<{ readonly certificate: string; readonly key: string }> = z
  .object({ certificate: z.string(), key: z.string() })
  .meta({ id: "CertificateAnswer" });

const underWay = z.object({ person: personId, erasure: uuid, reason: z.string(), begunAt: timestamp, step });

export const erasuresAnswer: z.ZodType<{ readonly erasures: readonly ErasureUnderWay[] }> = z
  .object({ erasures: z.array(underWay).readonly() })
  .meta({ id: "ErasuresAnswer" });

export const holdAnswer: z.ZodType<Hold> = z
  .object({ id: uuid, person: personId, reason: z.string(), at: timestamp })
  .meta({ id: "HoldAnswer" });

export const holdsAnswer: z.ZodType<{ readonly holds: readonly Hold[] }> = z
  .object({ holds: z.array(holdAnswer).readonly() })
  .meta({ id: "HoldsAnswer" });
