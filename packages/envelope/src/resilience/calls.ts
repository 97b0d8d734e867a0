/**
 * One call, bounded in time whatever its client does; and a race of several with staggered starts. Neither knows what
 * is called: that is in what they are handed.
 */
import type { OnCall, RegionAttempt, RegionFailureKind, RegionOperation } from "../errors.ts";
import type { CancelTimer, CutShort, Time } from "./time.ts";

/** What a call came to: a value that was checked, or a failure that has a name. */
export type CallAnswer<T> = ({ readonly value: T } | CallFailure) & Answered;

/** What is known of an answer besides. */
export interface Answered {
  /** The id that the service gave the call; left out where it gave none, or none was made. */
  readonly requestId?: string | undefined;
  /** Which material of its key the answer is of; left out where the service does not tell. */
  readonly material?: string | undefined;
}

export interface CallFailure {
  readonly failed: RegionFailureKind;
  /** The class name of what the client threw; null when the answer itself was wrong. */
  readonly errorName: string | null;
}

/** A call to be made, and who is called as its failure names it. */
export interface CallRequest<T> {
  readonly region: string;
  readonly keyArn: string;
  readonly operation: RegionOperation;
  readonly send: (abortSignal: AbortSignal) => Promise<CallAnswer<T>>;
  /** Gets every value that is not used: too late, or not accepted. */
  readonly discard: (value: T) => void;
  /** Asked inside the call: a value that is not accepted is its failure, `wrong-data-key`. */
  readonly accepts?: ((value: T) => boolean) | undefined;
  /** Told when an answer with a request id comes in time. */
  readonly onCall?: OnCall | undefined;
}

/** Why a call was no longer waited for: another region was faster, the operation's time was up, the caller gave up. */
export type StopReason = "overtaken" | CutShort;

/** Who lets a call go out and is told what came of it. Every call that began is reported once. */
export interface CallObserver {
  /** Calls `go` when the call may go out, now or later. The returned function takes a waiting call back. */
  whenFree(go: () => void): () => void;
  /** What a call failed by that never went out; `busy`: by nothing but our own limits. */
  readonly standingReason: RegionFailureKind;
  /** Whether a call that went out has been unanswered for long enough to say anything. */
  hadTime(): boolean;
  began(): void;
  answered(): void;
  failed(reason: RegionFailureKind): void;
  stopped(why: StopReason): void;
}

/** For calls that nobody keeps a record of. */
export const UNOBSERVED: CallObserver = {
  whenFree(go) {
    go();
    return () => undefined;
  },
  standingReason: "unknown",
  hadTime: () => true,
  began: () => undefined,
  answered: () => undefined,
  failed: () => undefined,
  stopped: () => undefined,
};

export type CallResult<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "failed"; readonly attempt: RegionAttempt }
  /** Stopped because another region was faster. `elapsedMs` says how long this one had been silent. */
  | { readonly kind: "overtaken"; readonly elapsedMs: number };

/** A call on its way. `result` never rejects, and settles by the time-out or at `stop`, whatever the client does. */
export interface CallInProgress<T> {
  readonly result: Promise<CallResult<T>>;
  /** Calls back when the call has gone out, at once if it has: whoever waits for an answer counts from then. */
  onSent(callback: () => void): void;
  stop(why: StopReason): void;
}

export interface CallBounds {
  readonly time: Time;
  readonly timeoutMs: number;
  readonly observer: CallObserver;
}

/**
 * Makes a call as soon as its observer lets it out. The time-out counts from then: what a call spends in our own queue
 * says nothing about who is called. As long, at most, it waits for a region that is kept from being asked; for our own
 * limits it waits until it is stopped.
 */
export function startCall<T>(call: CallRequest<T>, { time, timeoutMs, observer }: CallBounds): CallInProgress<T> {
  const { promise, resolve } = Promise.withResolvers<CallResult<T>>();
  const createdAt = time.now();
  const controller = new AbortController();
  const toldWhenSent: (() => void)[] = [];
  let sentAt: number | null = null;
  let waited = false;
  let settled = false;
  let cancelTimeout: CancelTimer = () => undefined;
  let cancelWait = (): void => undefined;

  const settle = (result: CallResult<T>): void => {
    settled = true;
    cancelTimeout();
    cancelWait();
    resolve(result);
  };
  const elapsedMs = (): number => Math.round(time.now() - (sentAt ?? createdAt));
  const failed = (reason: RegionFailureKind, errorName: string | null): CallResult<T> => {
    const { region, keyArn, operation } = call;
    return { kind: "failed", attempt: { region, keyArn, operation, reason, errorName, elapsedMs: elapsedMs() } };
  };
  const fail = (reason: RegionFailureKind, errorName: string | null): void => {
    // A call that never went out failed by what keeps the region out.
    settle(failed(sentAt !== null ? reason : observer.standingReason, errorName));
    if (sentAt !== null) observer.failed(reason);
  };
  const receive = (answer: CallAnswer<T>): void => {
    if (!settled) tell(call, answer);
    if ("failed" in answer) {
      if (!settled) fail(answer.failed, answer.errorName);
      return;
    }
    const { value } = answer;
    const refused = settled ? "timeout" : refusal(call, value);
    if (refused === null) {
      settle({ kind: "done", value });
      observer.answered();
    } else {
      call.discard(value);
      if (!settled) fail(refused, null);
    }
  };

  const whatTheTimeWentTo = (): RegionFailureKind => {
    if (sentAt === null) return observer.standingReason;
    return waited && !observer.hadTime() ? "busy" : "timeout";
  };

  const waitForTheRegion = (): void => {
    cancelTimeout = time.after(timeoutMs, () => {
      if (observer.standingReason === "busy") waitForTheRegion();
      else fail(observer.standingReason, null);
    });
  };
  waitForTheRegion();
  const takeBack = observer.whenFree(() => {
    cancelTimeout();
    sentAt = time.now();
    cancelTimeout = time.after(timeoutMs, () => {
      fail("timeout", null);
      controller.abort();
    });
    observer.began();
    for (const tell of toldWhenSent) tell();
    send(call, controller.signal).then(receive, () => {
      if (!settled) fail("unknown", null);
    });
  });
  cancelWait = takeBack;
  waited = (sentAt as number | null) === null;

  return {
    result: promise,
    onSent: (callback) => {
      if (sentAt === null) toldWhenSent.push(callback);
      else callback();
    },
    stop: (why) => {
      if (settled) return;
      if (why === "overtaken") settle({ kind: "overtaken", elapsedMs: sentAt === null ? 0 : elapsedMs() });
      else settle(failed(why === "aborted" ? why : whatTheTimeWentTo(), null));
      if (sentAt !== null) observer.stopped(why);
      controller.abort();
    },
  };
}

function tell<T>({ region, keyArn, operation, onCall }: CallRequest<T>, { requestId }: Answered): void {
  if (onCall === undefined || requestId === undefined) return;
  try {
    onCall({ region, keyArn, operation, requestId });
  } catch {
    // Whoever listens must not keep an answer from whoever waits for it.
  }
}

/** What lets a call out serves others too: nothing may be thrown there. */
function send<T>(call: CallRequest<T>, abortSignal: AbortSignal): Promise<CallAnswer<T>> {
  try {
    return call.send(abortSignal);
  } catch {
    return Promise.resolve({ failed: "unknown", errorName: null });
  }
}

function refusal<T>(call: CallRequest<T>, value: T): RegionFailureKind | null {
  try {
    return call.accepts?.(value) === false ? "wrong-data-key" : null;
  } catch {
    return "unknown";
  }
}

/** One contestant on its way. */
export interface Contestant<T> {
  /** Its value, or null when it failed. Never rejects. */
  readonly outcome: Promise<T | null>;
  /** How long to wait, once it has gone out, before another is started beside it. */
  readonly patienceMs: number;
  /** Calls back when it has gone out, at once if it has. */
  onSent(callback: () => void): void;
  /** Calls back once when waiting for it has become pointless; the returned function takes that back. */
  onHopeless(callback: () => void): () => void;
  /** Ends it; its outcome must then settle. */
  stop(): void;
}

export type StartReason = "first" | "failover" | "hedge";

export interface Contestants<T> {
  /** Starts the next contestant, or null when there is none (for a hedge: none that may be asked). */
  start(reason: StartReason): Contestant<T> | null;
  /** Gets every value that did not win. */
  discard(value: T): void;
}

export interface Race<T> {
  /** The winner's value, null when all failed or the race was stopped. */
  readonly result: Promise<T | null>;
  /** Stops the contestants, those in the background too. */
  stop(): void;
}

/**
 * A race with staggered starts: the nearest contestant first; the next one at once when it fails, and beside it when it
 * keeps us waiting. The first value wins and everybody else is told to stop.
 *
 * @param background contestants that may win but are neither waited for nor stopped when another wins: they run to find
 *   something out.
 */
export function staggeredRace<T>(
  contestants: Contestants<T>,
  time: Time,
  background: readonly Contestant<T>[] = [],
): Race<T> {
  const { promise, resolve } = Promise.withResolvers<T | null>();
  const running = new Set<Contestant<T>>(background);
  const isBackground = new Set(background);
  let newest: Contestant<T> | null = null;
  let forgetNewest: CancelTimer = () => undefined;
  let over = false;

  function finish(value: T | null): void {
    over = true;
    forgetNewest();
    for (const contestant of running) if (!isBackground.has(contestant)) contestant.stop();
    resolve(value);
  }

  function follow(contestant: Contestant<T>): void {
    running.add(contestant);
    void contestant.outcome.then((value) => {
      running.delete(contestant);
      if (over) {
        if (value !== null) contestants.discard(value);
      } else if (value !== null) finish(value);
      else {
        // An older contestant's failure changes nothing: the one that was started beside it is on its way.
        if (contestant === newest) next("failover");
        if (running.size === 0) finish(null);
      }
    });
  }

  function next(reason: StartReason): void {
    if (over) return;
    const contestant = contestants.start(reason);
    if (contestant === null) return;
    forgetNewest();
    newest = contestant;
    let cancelTimer: CancelTimer = () => undefined;
    contestant.onSent(() => {
      if (over || newest !== contestant) return;
      cancelTimer = time.after(contestant.patienceMs, () => {
        next("hedge");
      });
    });
    const takeBack = contestant.onHopeless(() => {
      next("failover");
    });
    forgetNewest = () => {
      cancelTimer();
      takeBack();
    };
    follow(contestant);
  }

  for (const contestant of background) follow(contestant);
  next("first");
  if (running.size === 0) finish(null);

  return {
    result: promise,
    stop: () => {
      for (const contestant of running) contestant.stop();
      if (!over) finish(null);
    },
  };
}
