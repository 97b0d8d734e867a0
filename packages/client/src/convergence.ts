/**
 * The keys that things are stored under, beside those that are declared: what a run would do, a run as it goes, and
 * what is left under a key. Looking needs the scope `read`, changing a run `admin`.
 */
import type { Answers } from "./api-types.ts";
import { type Caller, type CallOptions, formed, isProblem, unintelligible } from "./call.ts";
import { present } from "./encoded.ts";
import { ClientError, isClientError, problemError } from "./errors.ts";
import { serverEvents } from "./event-stream.ts";
import { type Listing, listing } from "./paging.ts";
import { pause } from "./retry.ts";

/** How a run is to be made; all of it may be left out. */
export type ConvergeOptions = Answers["RunRequest"];
/** What is stored beside what is declared, and what a run would do and cost. */
export type ConvergencePlan = Answers["PlanAnswer"];
/** What something takes: calls of a KMS, dollars, seconds, bytes. */
export type Forecast = Answers["Forecast"];
/** How many items lie under one key and material. */
export type InventoryLine = Answers["InventoryAnswer"]["lines"][number];
/** The present run, or the last one, and the processes. */
export type ConvergenceStatus = Answers["RunAnswer"];
/** A run. */
export type ConvergenceRun = NonNullable<ConvergenceStatus["run"]>;
/** An item that could not be brought to the declared keys. */
export type ConvergenceFailure = Answers["FailuresAnswer"]["failures"][number];
/** What is left under a wrapping key. */
export type KeyProbe = Answers["ProbeAnswer"];

/** How a run is followed. */
export interface FollowOptions extends CallOptions {
  /** Hears why the service is away, each time that it is asked in vain; following goes on. */
  readonly onAway?: ((error: ClientError) => void) | undefined;
}

/** What is stored beside what is declared. Every method throws ClientError. */
export interface Convergence {
  /**
   * What a run with these options would do. Changes nothing and opens no message.
   *
   * @example
   * ```ts
   * import { createClient } from "@strongroom/client";
   *
   * async function callsAhead(url: string, token: string): Promise<number> {
   *   const { forecast } = await createClient({ url, token }).convergence.plan({ verify: 0.1 });
   *   return forecast.total;
   * }
   * console.log(typeof callsAhead); // prints: function
   * ```
   */
  plan(options?: ConvergeOptions, call?: CallOptions): Promise<ConvergencePlan>;
  /** How many items lie under each key and material. */
  inventory(options?: CallOptions): Promise<readonly InventoryLine[]>;
  /** Begins a run, or makes one that holds go on. Throws `run-under-way`, `run-refused`. */
  apply(options?: ConvergeOptions, call?: CallOptions): Promise<ConvergenceStatus>;
  /** The present run, or the last one. */
  status(options?: CallOptions): Promise<ConvergenceStatus>;
  /** Throws `run-absent`, as each of the following. A reason is 1 to 200 characters, and is in the audit. */
  pause(reason: string, options?: CallOptions): Promise<ConvergenceStatus>;
  resume(options?: CallOptions): Promise<ConvergenceStatus>;
  /** Ends it where it is; what is done stays. */
  cancel(reason: string, options?: CallOptions): Promise<ConvergenceStatus>;
  /** Goes back to the keys of before. Throws `run-not-undoable` when old wraps are gone. */
  undo(reason: string, options?: CallOptions): Promise<ConvergenceStatus>;
  /** What could not be brought to the declared keys: `for await`, or a page at a time. */
  failures(options?: CallOptions): Listing<ConvergenceFailure>;
  /** What is left under a wrapping key, named as the inventory does. */
  probe(key: string, options?: CallOptions): Promise<KeyProbe>;
  /**
   * A run as it goes: how it is at once and when something has changed, at most once a second, until it has ended. A
   * connection that breaks is made again, for as long as nobody ends it by `signal`; only the first one must succeed.
   *
   * @example
   * ```ts
   * import { createClient } from "@strongroom/client";
   *
   * async function untilItEnds(url: string, token: string, signal: AbortSignal): Promise<void> {
   *   for await (const { run } of createClient({ url, token }).convergence.follow({ signal }))
   *     console.log(run?.phase, run?.progress.done, run?.progress.remainingSeconds);
   * }
   * console.log(typeof untilItEnds); // prints: function
   * ```
   */
  follow(options?: FollowOptions): AsyncIterable<ConvergenceStatus>;
}

/** First pause before a stream that broke is asked for again, in milliseconds; it doubles up to the longest. */
const PAUSE_MS = { first: 1000, longest: 15_000 } as const;

/** The calls about convergence. */
export function convergenceOf(calls: Caller): Convergence {
  const { answer } = calls;
  return {
    plan: ({ force: _, keepOld, scopes, fresh, ...others } = {}, call = {}) => {
      const query = present({ ...others, keepOld: flag(keepOld), scopes: flag(scopes), fresh: flag(fresh) });
      return answer("PlanAnswer", call, (http, init) => http.GET("/v1/keys/plan", { ...init, params: { query } }));
    },
    inventory: async (options = {}) =>
      (await answer("InventoryAnswer", options, (http, init) => http.GET("/v1/keys/inventory", init))).lines,
    apply: (body = {}, call = {}) =>
      answer("RunAnswer", call, (http, init) => http.POST("/v1/keys/run", { ...init, body }), "writes"),
    status: (options = {}) => answer("RunAnswer", options, (http, init) => http.GET("/v1/keys/run", init)),
    pause: (reason, options = {}) =>
      answer(
        "RunAnswer",
        options,
        (http, init) => http.POST("/v1/keys/run/pause", { ...init, body: { reason } }),
        "writes",
      ),
    resume: (options = {}) =>
      answer("RunAnswer", options, (http, init) => http.POST("/v1/keys/run/resume", init), "writes"),
    cancel: (reason, options = {}) =>
      answer(
        "RunAnswer",
        options,
        (http, init) => http.POST("/v1/keys/run/cancel", { ...init, body: { reason } }),
        "writes",
      ),
    undo: (reason, options = {}) =>
      answer(
        "RunAnswer",
        options,
        (http, init) => http.POST("/v1/keys/run/undo", { ...init, body: { reason } }),
        "writes",
      ),
    failures: (options = {}) =>
      listing(async (page) => {
        const { failures, next } = await answer("FailuresAnswer", options, (http, init) =>
          http.GET("/v1/keys/run/failures", { ...init, params: { query: present(page) } }),
        );
        return { items: failures, next };
      }),
    probe: (key, options = {}) =>
      answer("ProbeAnswer", options, (http, init) =>
        http.GET("/v1/keys/probe", { ...init, params: { query: { key } } }),
      ),
    follow: (options = {}) => ({ [Symbol.asyncIterator]: () => followed(calls, options) }),
  };
}

const flag = (value: boolean | undefined) => (value === undefined ? undefined : (`${value}` as const));

async function* followed(
  calls: Caller,
  { onAway, ...call }: FollowOptions,
): AsyncGenerator<ConvergenceStatus, void, undefined> {
  let last: string | null = null;
  let ends = new AbortController().signal;
  let pauseMs: number = PAUSE_MS.first;
  for (;;) {
    try {
      const { bytes, callers } = await calls.stream(call, (http, init) => {
        const headers = { ...init.headers, accept: "text/event-stream" };
        return http.GET("/v1/keys/run/events", { ...init, headers, parseAs: "stream" });
      });
      ends = AbortSignal.any([...callers]);
      for await (const { name, data } of serverEvents(bytes, callers)) {
        if (name === "end") return;
        if (name === "problem") throw problemOf(data);
        if (name !== "status" || data === last) continue;
        yield formed("RunAnswer", parsed(data));
        last = data;
        pauseMs = PAUSE_MS.first;
      }
    } catch (error) {
      if (last === null || !isClientError(error) || error.outcome !== "unavailable") throw error;
      onAway?.(error);
    }
    await pause(pauseMs * (1 + Math.random() / 2), ends);
    if (ends.aborted) throw new ClientError("aborted", { cause: ends.reason });
    pauseMs = Math.min(pauseMs * 2, PAUSE_MS.longest);
  }
}

function problemOf(data: string): ClientError {
  const problem = parsed(data);
  if (!isProblem(problem)) throw unintelligible("its problem");
  return problemError(problem, { status: problem.status ?? 0, retryAfterSeconds: null });
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    throw unintelligible("an event");
  }
}
