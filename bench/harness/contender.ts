// What a contender is to the harness: a file in ../contenders whose name is its id and whose default export says which
// rows of work it can do. The harness knows nothing else about any of them.

/** One kind of work, prepared and ready to be timed. */
export interface Work<Result = unknown> {
  /** One run. Only this is timed; a synchronous peer returns its value and pays for no promise. */
  run(): Result | Promise<Result>;
  /** Throws when a result is wrong. Called with every result, outside the clock. */
  verify(result: Result): void | Promise<void>;
  /** How many of the row's units one run does; 1 unless said otherwise. */
  readonly unitsPerRun?: number;
  /**
   * Figures that only the contender can know, such as the memory of a server it started. Asked once, after the last
   * run.
   */
  metrics?(): Readonly<Record<string, number>> | Promise<Readonly<Record<string, number>>>;
  close?(): void | Promise<void>;
}

/** What a row asks for. Sizes in bytes; those that mean nothing to a contender are simply not read. */
export interface Task {
  readonly payloadBytes: number;
  readonly frameLength: number;
  /** Size of the chunks a stream is fed. */
  readonly chunkBytes: number;
  /** How many different messages a reading row goes round. */
  readonly distinctMessages: number;
  readonly encryptionContext: Readonly<Record<string, string>>;
}

export type Prepare = (task: Task) => Work | Promise<Work>;

export interface Contender {
  /** As the tables show it. */
  readonly title: string;
  /** The npm package whose version belongs beside the figures; absent when Node itself is measured. */
  readonly packageName?: string;
  /** Row id to its preparation. */
  readonly works: Readonly<Record<string, Prepare>>;
}

/** Gives a work its result type while it is written, and forgets it for the table. */
export function work<Result>(definition: Work<Result>): Work {
  return definition;
}

/** The same work for a row that counts bytes: one run is the payload's length in units. */
export function inBytes(prepare: Prepare): Prepare {
  return async (task) => ({ ...(await prepare(task)), unitsPerRun: task.payloadBytes });
}
