// A look at the gate of a store, which changes nothing, and what may be told of gates that do not fit together.
import { existsSync } from "node:fs";
import { type GateState, VAULT_ERRORS, type VaultErrorCode } from "@strongroom/vault";
import { CliError } from "../errors.ts";
import { postgresAccess } from "./connect.ts";
import { lookAt } from "./look.ts";
import type { StoreParts } from "./open.ts";
import { sqliteState } from "./sqlite-state.ts";
import type { StoreRole } from "./which.ts";

/** What a look at a store found: its gate, that there is no store yet, or that it cannot be told. */
export type SeenGate = GateState | "absent" | "unusable";

/** Why stores cannot be used together. */
export interface PairProblem {
  readonly code: VaultErrorCode;
  readonly detail: string;
  readonly remedy: string;
}

/** What is told of a code. */
export function belongingProblem(code: VaultErrorCode, detail: string): PairProblem {
  return { code, detail, remedy: VAULT_ERRORS[code].remedy };
}

/** Looks at one. */
export async function seenGate({ config, env }: StoreParts, role: StoreRole): Promise<SeenGate> {
  try {
    const access = postgresAccess(config, env, role);
    if (access !== null) {
      const { store } = await lookAt(access);
      return store.gate ?? (store.version === null ? "absent" : "unusable");
    }
    const { path, state, gate, move } = await sqliteState(config, role);
    // A file that was emptied is no file that never was: its mark tells that, when it is opened.
    return gate ?? (state === "absent" && move === null && !existsSync(path) ? "absent" : "unusable");
  } catch (error) {
    if (error instanceof CliError) return "unusable";
    throw error;
  }
}
