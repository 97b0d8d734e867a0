// The control port of a KMS that was started with faults allowed: the ways in which a drill loses a region, where the
// port is, and the client that takes regions away and brings them back (docs/kms.md, "Faults"). Faults are never
// assumed to be allowed: an installation that holds someone's data has no such port.
import type { Fault } from "@strongroom/kms";
import { boundedText } from "@strongroom/base/bounded-body";
import { z } from "zod";
import type { LoadedConfig } from "../config/load.ts";
import { dataFolder, readRunning } from "../data-folder.ts";
import { readAuthorityIfPresent } from "../authority.ts";
import { CliError } from "../errors.ts";

/** What is asked of the KMS: its port closed, or faults in its answers. */
export type FaultOrder = { readonly kind: "stop" } | { readonly kind: "inject"; readonly faults: readonly Fault[] };

/** One way to lose a region. */
export interface DrillFault {
  readonly meaning: string;
  readonly order: FaultOrder;
}

function inject(...faults: readonly Fault[]): FaultOrder {
  return { kind: "inject", faults };
}

/** A name in {@link DRILL_FAULTS}. */
export type FaultName =
  | "refused"
  | "reset"
  | "black-hole"
  | "slow"
  | "slow-body"
  | "half-closed"
  | "server-error"
  | "corrupt-json"
  | "throttle"
  | "expired-credentials"
  | "access-denied"
  | "disabled-key"
  | "wrong-key-id"
  | "wrong-plaintext";

/** Every way, by the name that `--faults` takes. */
export const DRILL_FAULTS: Readonly<Record<FaultName, DrillFault>> = {
  refused: { meaning: "nothing listens there", order: { kind: "stop" } },
  reset: { meaning: "connections are reset", order: inject({ kind: "refuse" }) },
  "black-hole": { meaning: "requests are taken and never answered", order: inject({ kind: "black-hole" }) },
  slow: { meaning: "answers come 1 to 2 s late", order: inject({ kind: "delay", delayMs: 1500, jitterMs: 500 }) },
  "slow-body": { meaning: "answers come byte by byte", order: inject({ kind: "slow-body" }) },
  "half-closed": { meaning: "connections end in the middle of an answer", order: inject({ kind: "half-closed" }) },
  "server-error": { meaning: "status 500", order: inject({ kind: "server-error" }) },
  "corrupt-json": { meaning: "half a JSON document", order: inject({ kind: "corrupt-json" }) },
  throttle: { meaning: "ThrottlingException", order: inject({ kind: "throttle" }) },
  "expired-credentials": { meaning: "ExpiredTokenException", order: inject({ kind: "expired-credentials" }) },
  "access-denied": { meaning: "AccessDeniedException", order: inject({ kind: "access-denied" }) },
  "disabled-key": { meaning: "DisabledException", order: inject({ kind: "disabled-key" }) },
  "wrong-key-id": { meaning: "it lies: answers name another key", order: inject({ kind: "wrong-key-id" }) },
  // In what it opens: reads, and the proofs of what it wrapped.
  "wrong-plaintext": {
    meaning: "it lies: reads get another data key",
    order: inject({ kind: "wrong-plaintext", operations: ["Decrypt"] }),
  },
};

/** Every name, in the table's order. */
export const FAULT_NAMES: readonly FaultName[] = Object.keys(DRILL_FAULTS) as FaultName[];

/** Where the port is, and the file with the header that it wants. */
export interface ControlAddress {
  readonly endpoint: string;
  readonly headerFile: string;
}

/**
 * The port: a flag first, then what the running installation says, then the configuration. Its header is in the file
 * that is named, else in that of the data folder. Throws `faults-not-allowed`, with how to allow them.
 */
export async function findControl(
  { config }: LoadedConfig,
  { url, headerFile }: { readonly url?: string | undefined; readonly headerFile?: string | undefined },
): Promise<ControlAddress> {
  const folder = dataFolder(config.dataDir);
  const at = (endpoint: string): ControlAddress => ({ endpoint, headerFile: headerFile ?? folder.kmsControlHeader });
  if (url !== undefined) return at(url);
  const running = readRunning(folder.running);
  if (running !== null) {
    if (running.faultsEndpoint !== null) return at(running.faultsEndpoint);
    throw new CliError("faults-not-allowed", {
      detail: `The installation in ${config.dataDir} was started without --allow-faults.`,
    });
  }
  const { allowFaults, faultsPort } = config.kms;
  if (allowFaults && faultsPort !== 0) return at(`http://127.0.0.1:${faultsPort}`);
  throw new CliError("faults-not-allowed", {
    detail: `No installation runs in ${config.dataDir}, and no other control port is given.`,
  });
}

/** A region as the KMS has it. */
export interface ControlledRegion {
  readonly region: string;
  readonly state: "running" | "stopped";
  readonly faults: readonly { readonly id: string; readonly hits: number; readonly fault: { readonly kind: string } }[];
}

/** A fault in force, to be taken back. */
export interface AppliedFault {
  readonly region: string;
  /** Its ids at the KMS; empty where the port was closed. */
  readonly faultIds: readonly string[];
}

/** What can be done to the regions. Nothing here is ended by Ctrl-C: a region that is lost must be brought back. */
export interface ControlPort {
  readonly endpoint: string;
  regions(): Promise<readonly ControlledRegion[]>;
  apply(region: string, order: FaultOrder): Promise<AppliedFault>;
  /** Takes back what was applied, and nothing else. */
  revert(applied: AppliedFault): Promise<void>;
  /** Opens the region's port and takes back every fault that it has. */
  clear(region: string): Promise<void>;
}

/** Longest wait for an answer of the control port, in milliseconds; it is on this machine. */
const ANSWER_WITHIN_MS = 5000;
/** Bytes of an answer: the regions, each with its faults. */
const LONGEST_ANSWER = 4 * 1024 * 1024;

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

/** The header in the file as `fetch` takes it; none where there is no such file. */
export async function controlHeader(file: string): Promise<Record<string, string>> {
  const [, value] = /^Authorization: (Bearer [\w-]+)\s*$/.exec(readAuthorityIfPresent(file, "secret") ?? "") ?? [];
  return value === undefined ? {} : { authorization: value };
}

/** Makes the client. Its methods throw `faults-not-allowed` where nothing, or something else, answers there. */
export function controlPort({ endpoint, headerFile }: ControlAddress): ControlPort {
  const ask = async (method: "GET" | "POST" | "DELETE", path: string, body?: Fault): Promise<unknown> => {
    const url = new URL(`/_strongroom/regions${path}`, endpoint);
    const request = {
      method,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      headers: {
        // Read each time: a KMS that was started anew has another one.
        ...(await controlHeader(headerFile)),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const response = await fetch(url, request).catch((cause: unknown) => {
      throw new CliError("faults-not-allowed", {
        detail: `Nothing answers at ${endpoint}, where faults would be ordered.`,
        cause,
      });
    });
    const answer: unknown = await boundedText(response, LONGEST_ANSWER)
      .then((text) => JSON.parse(text) as unknown)
      .catch(() => undefined);
    // A fault that is gone already is what taking it back is for.
    if (response.ok || (method === "DELETE" && response.status === 404)) return answer;
    if (response.status === 401)
      throw new CliError("faults-not-allowed", {
        detail: `${endpoint} wants another token than that in ${headerFile}.`,
        remedy: "Name the control.header in the folder of that KMS: --faults-header-file FILE.",
      });
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
    apply: async (region, order) => {
      if (order.kind === "stop") {
        await ask("POST", `/${region}/stop`);
        return { region, faultIds: [] };
      }
      const faultIds: string[] = [];
      for (const fault of order.faults)
        faultIds.push(understood(added, await ask("POST", `/${region}/faults`, fault)).id);
      return { region, faultIds };
    },
    revert: async ({ region, faultIds }) => {
      if (faultIds.length === 0) await ask("POST", `/${region}/start`);
      for (const id of faultIds) await ask("DELETE", `/${region}/faults/${id}`);
    },
    clear: async (region) => {
      await ask("DELETE", `/${region}/faults`);
      await ask("POST", `/${region}/start`);
    },
  };
}
