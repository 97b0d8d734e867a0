/**
 * GET /v1/keys/run/events: a run as it goes, as server-sent events: `status` at once and when something has changed,
 * `end` when the run has ended, `problem` when the service cannot tell it any more. A token that is revoked meanwhile
 * ends it, as does the end of the service.
 */
import type { ConvergenceStatus } from "@strongroom/vault";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Api, ApiContext } from "../api.ts";
import { convergenceOf } from "../convergence/asked.ts";
import { LOOK_EVERY_MS } from "../convergence/run-feed.ts";
import type { RunLook } from "../convergence/run-feed.ts";
import { EVENT_STREAM_TYPE, EventStream } from "../http/event-stream.ts";
import { knownError, problemAnswer } from "../http/problems.ts";
import { problemAnswers } from "../openapi/answers.ts";
import { purposeOf, requireAccess } from "../tokens/access.ts";
import { authenticate } from "../tokens/token.ts";

/** After so long without an event, in milliseconds, a comment is sent. */
const HEARTBEAT_MS = 15_000;
/** Timers are late, and a little early: a tick within this, in milliseconds, is a second. */
const JITTER_MS = 100;

const NEEDS = { scope: "read", action: "keys" } as const;

/** Adds the route. */
export function runEventRoute(app: Api, context: ApiContext): void {
  app.get(
    "/keys/run/events",
    {
      config: { ...NEEDS, work: "none", isStream: true },
      schema: {
        operationId: "followRun",
        summary: "Follow a run as it goes",
        description:
          "Server-sent events. `status`: a RunAnswer, at once and when something has changed, at most one a second. " +
          "`end`: the run has ended, or there is none; the stream ends with it. `problem`: a Problem, with which the " +
          "stream ends. Comments come every 15 s while nothing else does. It ends when the token is revoked and when " +
          "the service does: connect again.",
        tags: ["keys"],
        response: {
          200: { description: "The events.", content: { [EVENT_STREAM_TYPE]: { schema: z.string() } } },
          ...problemAnswers("convergence-missing"),
        },
      },
    },
    async (request, reply) => {
      convergenceOf(context.vault);
      if (request.method === "HEAD") return reply.type(EVENT_STREAM_TYPE).send("");
      await follow(request, reply, context);
      return reply;
    },
  );
}

/** Resolves when the stream has its first event; it goes on behind that. */
async function follow(
  request: FastifyRequest,
  reply: FastifyReply,
  { feed, streams, tokens, policy, limits }: ApiContext,
): Promise<void> {
  let stream: EventStream | null = null;
  let unfollow = (): void => undefined;
  const stop = (): void => {
    unfollow();
    release();
    stream?.end();
  };
  const release = streams.take(request.token?.id ?? "", stop);
  reply.raw.once("close", stop);
  // Before the head, so that what the store says is an answer with a status.
  const first = await feed.look().catch(refused);
  if (first.status === null) {
    stop();
    throw first.error;
  }
  // Gone while it was looked, or the service ends.
  if (reply.raw.closed || request.raw.destroyed) {
    stop();
    return;
  }
  stream = new EventStream(reply, limits.stallMs);
  const teller = new Teller(stream, request);
  let isChecking = false;
  const tick = async (look: RunLook): Promise<void> => {
    if (isChecking) return;
    isChecking = true;
    const problem = await authenticate(request, tokens)
      .then((identity) => {
        requireAccess(identity, policy, NEEDS, { collection: null, purpose: purposeOf(request) });
        return null;
      })
      .catch((error: unknown) => ({ error }));
    isChecking = false;
    if (reply.raw.closed || reply.raw.writableEnded) return;
    if (teller.tell(problem === null ? look : { status: null, error: problem.error }) === "ended") stop();
  };
  unfollow = feed.follow((look) => void tick(look));
  if (teller.tell(first) === "ended") stop();
}

function refused(error: unknown): RunLook {
  return { status: null, error };
}

/** What one client is told, and what it was told already. */
class Teller {
  readonly #stream: EventStream;
  readonly #request: FastifyRequest;
  #told: string | null = null;
  #toldAt = -Infinity;

  constructor(stream: EventStream, request: FastifyRequest) {
    this.#stream = stream;
    this.#request = request;
  }

  tell(look: RunLook): "goes-on" | "ended" {
    if (look.status === null) {
      this.#stream.event("problem", this.#problemOf(look.error));
      return "ended";
    }
    const now = performance.now();
    const hasNews = look.text !== this.#told;
    // A client that has not read the last one is told the newest when it has.
    if (hasNews && this.#stream.isReady && now - this.#toldAt >= LOOK_EVERY_MS - JITTER_MS) {
      this.#stream.event("status", look.text);
      this.#told = look.text;
      this.#toldAt = now;
    }
    if (isOver(look.status) && this.#told === look.text) {
      this.#stream.event("end", "{}");
      return "ended";
    }
    if (this.#stream.isReady && this.#stream.silentMs >= HEARTBEAT_MS - JITTER_MS) this.#stream.heartbeat();
    return "goes-on";
  }

  #problemOf(thrown: unknown): string {
    const { error } = knownError(thrown);
    const { body } = problemAnswer(error, this.#request.id);
    this.#request.problemCode = body.code;
    return JSON.stringify(body);
  }
}

function isOver({ run }: ConvergenceStatus): boolean {
  return run === null || (run.state !== "running" && run.state !== "paused");
}
