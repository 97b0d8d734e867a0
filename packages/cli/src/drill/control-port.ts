// The control port of a KMS that was started with faults allowed: takes regions away and brings them back (docs/kms.md,
// "Faults").
import type { Fault } from "@strongroom/kms";
import { z } from "zod";
import { CliError } from "../errors.ts";
import type { FaultOrder } from "./faults.ts";

/** A region as the KMS has it. */
export interface ControlledRegion {
  readonly region: string;
  readonly state: "running" | "stopped";
  readonly faults: readonly { readonly id: string; readonly hits: number; readonly fault: { readonly kind: string } }[];
}

/** A fault in force, to be taken back. */
export interface Struck {
  readonly region: string;
  /** Its ids at the KMS; empty where the port was closed. */
  readonly faultIds: readonly string[];
}

/** What can be done to the regions. Nothing here is ended by Ctrl-C: a region that is lost must be brought back. */
export interface ControlPort {
  readonly endpoint: string;
  regions(): Promise<readonly ControlledRegion[]>;
  strike(region: string, order: FaultOrder): Promise<Struck>;
  /** Takes back what was struck, and nothing else. */
  heal(struck: Struck): Promise<void>;
  /** Opens the region's port and takes back every fault that it has. */
  clear(region: string): Promise<void>;
}

/** Longest wait for an answer of the control port, in milliseconds; it is on this machine. */
const ANSWER_WITHIN_MS = 5000;

const added = z.object({ id: z.string() });
const listed: z.ZodType<{ readonly regions: readonly ControlledRegion[] }> = z.object({
  regions: z.array(
    z.object({
      region: z.string(),
      state: z.enum(["running", "stopped"]),
      faults: z.array(z.object({ id: z.string(), hits: z.number(), fault: z.object({ kind: z.string() }) })),
    }),
  ),
});

/** Makes the client. Its methods throw `faults-not-allowed` where nothing, or something else, answers there. */
export function controlPort(endpoint: string): ControlPort {
  const ask = async (method: "GET" | "POST" | "DELETE", path: string, body?: Fault): Promise<unknown> => {
    const url = new URL(`/_strongroom/regions${path}`, endpoint);
    const request = {
      method,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    };
    const response = await fetch(url, request).catch((cause: unknown) => {
      throw new CliError("faults-not-allowed", {
        detail: `Nothing answers at ${endpoint}, where faults would be ordered.`,
        cause,
      });
    });
    const answer: unknown = await response.json().catch(() => undefined);
    // A fault that is gone already is what taking it back is for.
    if (response.ok || (method === "DELETE" && response.status === 404)) return answer;
    const said = z.object({ error: z.string() }).safeParse(answer);
    throw new CliError("faults-not-allowed", {
      detail: `${endpoint} refused with status ${response.status}${said.success ? `: ${said.data.error}` : ""}`,
    });
  };
  const understood = <Answer>(schema: z.ZodType<Answer>, answer: unknown): Answer => {
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new CliError("faults-not-allowed", {
      detail: `What answers at ${endpoint} is not the control port of a KMS.`,
    });
  };
  return {
    endpoint,
    regions: async () => understood(listed, await ask("GET", "")).regions,
    strike: async (region, order) => {
      if (order.kind === "stop") {
        await ask("POST", `/${region}/stop`);
        return { region, faultIds: [] };
      }
      const faultIds: string[] = [];
      for (const fault of order.faults)
        faultIds.push(understood(added, await ask("POST", `/${region}/faults`, fault)).id);
      return { region, faultIds };
    },
    heal: async ({ region, faultIds }) => {
      if (faultIds.length === 0) await ask("POST", `/${region}/start`);
      for (const id of faultIds) await ask("DELETE", `/${region}/faults/${id}`);
    },
    clear: async (region) => {
      await ask("DELETE", `/${region}/faults`);
      await ask("POST", `/${region}/start`);
    },
  };
}
