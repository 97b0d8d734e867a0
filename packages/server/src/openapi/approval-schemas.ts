/**
 * The forms of requests and answers about approvals.
 */
import type { Approval, ApprovedAct } from "@strongroom/vault";
import { z } from "zod";
import { timestamp } from "./schemas.ts";

const action = z
  .string()
  .regex(/^[a-z-]{1,32}$/, "must be 1 to 32 characters of a-z and -")
  .meta({ description: "What is to be done.", examples: ["retire-key"] });
const target = z
  .string()
  .min(1, "must not be empty")
  .max(2_048)
  .regex(/^[^\p{Cc}]*$/u, "must have no control characters")
  .meta({ description: "On what: of a key, its ARN." });

export const approvalRequest: z.ZodType<ApprovedAct> = z
  .strictObject({ action, target })
  .meta({ id: "ApprovalRequest" });

export const approvalAnswer: z.ZodType<Approval> = z
  .object({
    action,
    target,
    requestedBy: z.string().meta({ description: "A principal." }),
    requestedAt: timestamp,
    approvedBy: z.string().nullable().meta({ description: "Another principal; null: nobody yet." }),
    approvedAt: timestamp.nullable(),
    until: timestamp.meta({ description: "From then on it counts for nothing." }),
  })
  .meta({ id: "ApprovalAnswer" });

export const approvalsAnswer: z.ZodType<{ readonly approvals: readonly Approval[] }> = z
  .object({ approvals: z.array(approvalAnswer).readonly() })
  .meta({ id: "ApprovalsAnswer" });
