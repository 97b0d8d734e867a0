// An application with a vault in it: sign up, see and change one's profile, be found by the support, and leave. What it
// knows of people is in the vault; its own table has ids.
import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { isVaultError } from "@strongroom/vault";
import type { Accounts } from "./accounts.ts";
import { customer, type CustomerVault } from "./vault.ts";

/** What the application is made of. */
export interface AppParts {
  readonly vault: CustomerVault;
  readonly accounts: Accounts;
  /** By which the support's own program is known. */
  readonly supportToken: string;
}

/** Makes the application. It listens to nothing yet. */
export function createApp({ vault, accounts, supportToken }: AppParts): FastifyInstance {
  // No logger: an access log of this application would have addresses in it, of the support's searches.
  const app = Fastify({ logger: false });
  const bearer = ({ headers }: FastifyRequest): string =>
    /^Bearer (\S{1,200})$/.exec(headers.authorization ?? "")?.[1] ?? "";

  const me = async (request: FastifyRequest): Promise<string> => {
    const session = bearer(request);
    const id = session === "" ? null : await accounts.userOf(session);
    if (id === null) throw refused(401, "Sign in first");
    return id;
  };
  /** On behalf of the user: the audit says who. */
  const as = (id: string): ReturnType<CustomerVault["as"]> => vault.as({ principal: `user:${id}` });

  app.post("/sign-up", async (request, reply) => {
    const parsed = customer.safeParse(request.body);
    if (!parsed.success) throw refused(400, "A name and an address are needed");
    const [id, session] = [randomUUID(), randomBytes(32).toString("base64url")];
    await accounts.add({ id, session, plan: "free" }, parsed.data);
    return reply.code(201).send({ id, session });
  });

  app.get("/me", async (request) => {
    const id = await me(request);
    return (await as(id).records.customers.get(id)).document;
  });

  app.put("/me", async (request) => {
    const id = await me(request);
    const parsed = customer.safeParse(request.body);
    if (!parsed.success) throw refused(400, "A name and an address are needed");
    const { version } = await as(id).records.customers.put(id, parsed.data);
    return { version };
  });

  app.delete("/me", async (request) => {
    const id = await me(request);
    // The vault first: asked again after a failure, it goes on where it was. The row is what one comes back with.
    const erased = await vault.erasure?.erase(id, { reason: "art-17" });
    if (erased?.state !== "erased") throw refused(503, "It has begun, and goes on by itself: ask again");
    await accounts.remove(id);
    return { certificate: erased.certificate, key: erased.key, salt: erased.salt };
  });

  app.post<{ Body: { email?: unknown } | undefined }>("/support/find", async (request) => {
    if (!isSame(bearer(request), supportToken)) throw refused(401, "Sign in first");
    const email = request.body?.email;
    if (typeof email !== "string") throw refused(400, "An address is needed");
    const support = vault.as({ principal: "support" }, { roles: ["support"] });
    const { items } = await support.records.customers.find({ email });
    return { customers: items.map(({ id, document }) => ({ id, ...document })) };
  });

  app.setErrorHandler(async (error, _request, reply) => {
    const { status, says } = answerTo(error);
    return reply.code(status).send({ error: says });
  });
  return app;
}

/** Compares in a time that tells neither a common beginning nor a length. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

/** An error that is an answer. */
interface Refused extends Error {
  readonly answer: number;
}

function refused(answer: number, says: string): Refused {
  return Object.assign(new Error(says), { answer });
}

/** What of an error leaves the application: never what it was about. */
function answerTo(error: unknown): { readonly status: number; readonly says: string } {
  if (error instanceof Error && "answer" in error) return { status: (error as Refused).answer, says: error.message };
  if (!isVaultError(error)) return { status: 500, says: "Something went wrong" };
  // That an address is taken tells whoever asks that somebody has an account: answer alike, and write to the address,
  // where that must not be.
  if (error.code === "value-taken") return { status: 409, says: "There is an account with this address" };
  if (error.code === "record-absent") return { status: 404, says: "There is no such account" };
  return { status: 503, says: "Try again" };
}
