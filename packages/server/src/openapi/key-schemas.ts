/**
 * The form of the answer about what keys cost.
 */
import type { KeyCost, ScopeCalls } from "@strongroom/vault";
import { z } from "zod";
import { count, timestamp } from "./schemas.ts";

export interface KeyCostAnswer {
  readonly cost: KeyCost | null;
}

const calls: z.ZodType<ScopeCalls> = z.object({
  record: count.meta({
    description: "As many as regions for each version that is written, one for each that is read.",
  }),
  subject: count.meta({
    description: "As many as regions for each new person, one each time a person's key is opened.",
  }),
  tenant: count.meta({
    description: "As many as regions for each new tenant, one each time a tenant's key is opened.",
  }),
});

export const keyCostAnswer: z.ZodType<KeyCostAnswer> = z
  .object({
    cost: z
      .object({
        from: timestamp,
        to: timestamp,
        regions: z
          .object({ records: count, keys: count })
          .meta({ description: "Wraps wanted of a message in `record` scope, and of a key in the key store." }),
        traffic: z.object({
          writes: count.meta({ description: "Versions." }),
          reads: count,
          newOwners: count.meta({ description: "People whose first key was made, or would have been." }),
          newTenants: count,
        }),
        present: calls.meta({ description: "Calls of the present scopes: what the traffic in each has come to." }),
        inScope: calls.meta({ description: "Calls, had everything been in one scope." }),
        counted: z
          .object({ calls: count, byPurpose: z.record(z.string(), count) })
          .nullable()
          .meta({ description: "Calls that were made, for whatever reason; null when nothing counts them." }),
      })
      .nullable()
      .meta({ description: "Of the process that answers, since it started; null when its vault has no key store." }),
  })
  .meta({ id: "KeyCostAnswer" });
