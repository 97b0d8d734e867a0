/**
 * The convergence of a vault, as a route asks it.
 */
import type { ActingVault, Convergence } from "@strongroom/vault";
import { ServerError } from "../errors.ts";

/** A program may have put something of its own before its vault that lacks it. */
type Asked = Partial<Pick<ActingVault, "audit">> & { readonly convergence?: Convergence | null | undefined };

/** @throws ServerError `convergence-missing` */
export function convergenceOf({ convergence }: Asked): Convergence {
  if (convergence !== undefined && convergence !== null) return convergence;
  throw new ServerError("convergence-missing", "The vault of this service has no convergence");
}
