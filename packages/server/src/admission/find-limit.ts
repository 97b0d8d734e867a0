/**
 * Finds of each token, so many a minute. Threat: whoever may search a field, and has a list of a million addresses,
 * asks of each whether it is there. A write that is refused because another record has its value (`value-taken`) tells
 * the same, and counts as a find.
 *
 * A token may find at once what it may find in a minute, and is given that back evenly. What was told beyond it, by a
 * batch or by writes that were under way, is owed and given back first. Each process counts for itself.
 */
import type { FastifyRequest } from "fastify";
import type { Api } from "../api.ts";
import { ServerError } from "../errors.ts";
import type { ServerLimits } from "../limits.ts";
import type { Refusals } from "./refusals.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** How the route tells whether a value is there: it is asked for that, or a write is refused for it. */
    tellsBy?: "find" | "write";
  }
}

const MINUTE_MS = 60_000;
/** With more tokens than these, those that have all of theirs back are forgotten. */
const MOST_REMEMBERED = 1000;

/** When a token has all of its finds back, and all of its refusals by `value-taken`: on the clock, in milliseconds. */
interface Owed {
  finds: number;
  values: number;
}

export class FindLimit {
  readonly #perMinute: number;
  /** What one find takes, in milliseconds. */
  readonly #shareMs: number;
  readonly #clock: () => number;
  readonly #tokens = new Map<string, Owed>();
  /** Collections with a unique field, as far as a refusal has told. */
  readonly #unique = new Set<string>();
  #refused = 0;

  /** @param clock milliseconds that only go on */
  constructor({ findsPerMinute }: Pick<ServerLimits, "findsPerMinute">, clock = (): number => performance.now()) {
    this.#perMinute = findsPerMinute;
    this.#shareMs = MINUTE_MS / findsPerMinute;
    this.#clock = clock;
  }

  /** Requests since the process started. */
  get refused(): number {
    return this.#refused;
  }

  /** How many tokens are remembered. */
  get size(): number {
    return this.#tokens.size;
  }

  /** Takes one find, or says why not. */
  find(tokenId: string): ServerError | null {
    const owed = this.#owedBy(tokenId);
    const refusal = this.#refusal(owed.finds);
    if (refusal === null) owed.finds = this.#after(owed.finds, 1);
    return refusal;
  }

  /** Takes nothing. Why not, where the token was told of as many values as it may, by writes alone. */
  write(tokenId: string, collection: string | null): ServerError | null {
    if (collection !== null && !this.#unique.has(collection)) return null;
    return this.#refusal(this.#tokens.get(tokenId)?.values ?? 0);
  }

  /** Takes so many, for values that writes were refused for: the answer is made, and nothing stops it any more. */
  told(tokenId: string, collection: string | null, values: number): void {
    const owed = this.#owedBy(tokenId);
    owed.finds = this.#after(owed.finds, values);
    owed.values = this.#after(owed.values, values);
    if (collection !== null) this.#unique.add(collection);
  }

  #owedBy(tokenId: string): Owed {
    const known = this.#tokens.get(tokenId);
    if (known !== undefined) return known;
    if (this.#tokens.size >= MOST_REMEMBERED) this.#forget();
    const owed = { finds: 0, values: 0 };
    this.#tokens.set(tokenId, owed);
    return owed;
  }

  #forget(): void {
    const now = this.#clock();
    for (const [tokenId, { finds, values }] of this.#tokens)
      if (finds <= now && values <= now) this.#tokens.delete(tokenId);
  }

  #after(paidAt: number, count: number): number {
    return Math.max(paidAt, this.#clock()) + count * this.#shareMs;
  }

  #refusal(paidAt: number): ServerError | null {
    const waitMs = this.#after(paidAt, 1) - this.#clock() - MINUTE_MS;
    // Sums of shares are not exact.
    if (waitMs < this.#shareMs / 1000) return null;
    this.#refused++;
    const most = `A token may find ${this.#perMinute} times a minute, values that are taken included`;
    return new ServerError("find-limit", `${most}; nothing was begun`, {
      retryAfterSeconds: Math.ceil(waitMs / 1000),
    });
  }
}

/** Every route that is added to `app` from here on; their requests have a token. Before a body is read. */
export function limitFinds(app: Api, limit: FindLimit, refusals: Refusals): void {
  app.addHook("onRequest", (request, _reply, done) => {
    const { token, routeOptions } = request;
    const { tellsBy } = routeOptions.config;
    if (token === null || tellsBy === undefined) {
      done();
      return;
    }
    const refusal = tellsBy === "find" ? limit.find(token.id) : limit.write(token.id, collectionOf(request));
    if (refusal === null) done();
    else
      refusals.pace(() => {
        done(refusal);
      });
  });
  app.addHook("onSend", (request, _reply, _payload, done) => {
    if (request.token !== null && request.taken > 0) limit.told(request.token.id, collectionOf(request), request.taken);
    done();
  });
}

/** Null: it is in the body, if there is one. */
function collectionOf({ params }: FastifyRequest): string | null {
  return (params as { readonly collection?: string }).collection ?? null;
}
