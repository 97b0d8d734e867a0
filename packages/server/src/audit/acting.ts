/**
 * The vault as each request works with it: on behalf of whoever asks, and for what its headers say. It is no member of
 * Fastify's request, which the two forms of this package declare for a program that has both: vaults of two forms are
 * of two types, and the declarations would not go together.
 */
import type { ActingVault } from "@strongroom/vault";
import type { FastifyRequest } from "fastify";
import { ServerError } from "../errors.ts";

const acting = new WeakMap<object, ActingVault>();

/** From here on the request works with this. */
export function actAs(request: Pick<FastifyRequest, "id">, vault: ActingVault): void {
  acting.set(request, vault);
}

/** @throws ServerError `internal`: its route does not say that it acts on behalf of its caller */
export function actingOf(request: Pick<FastifyRequest, "id">): ActingVault {
  const found = acting.get(request);
  if (found === undefined) throw new ServerError("internal", "The route acts on behalf of nobody");
  return found;
}
