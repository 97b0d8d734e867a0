/**
 * The stages of a move, and what each means for an application that reads and writes: one table that says it all.
 *
 * One rule holds in every stage: a row with a value in one of its columns is the truth about its record, and the vault
 * is brought to it. Only of a row whose columns are empty the vault is the truth.
 */
/** A stage. */
export type MoveStage = "planned" | "dual-writing" | "filled" | "cut-over" | "dropping" | "dropped" | "refilling";

/** What a stage means. */
export interface StageRow {
  /** Where an application reads. */
  readonly reads: "table" | "vault";
  /** `table`: it alone. `both`: the row, then the vault from it. `vault`: the vault, and the row's columns emptied. */
  readonly writes: "table" | "both" | "vault";
  /** What `back` leads to; null: there is nothing before. */
  readonly back: MoveStage | null;
  /** The command that goes on from here. */
  readonly next: string;
}

/** Stage -> what it means. */
export const STAGES: Readonly<Record<MoveStage, StageRow>> = {
  planned: { reads: "table", writes: "table", back: null, next: "start" },
  "dual-writing": { reads: "table", writes: "both", back: "planned", next: "backfill" },
  filled: { reads: "table", writes: "both", back: "dual-writing", next: "cut-over" },
  "cut-over": { reads: "vault", writes: "both", back: "filled", next: "drop" },
  dropping: { reads: "vault", writes: "vault", back: "cut-over", next: "drop" },
  dropped: { reads: "vault", writes: "vault", back: "cut-over", next: "none: the columns can be dropped" },
  refilling: { reads: "vault", writes: "both", back: "cut-over", next: "back" },
};

export function isStage(value: unknown): value is MoveStage {
  return typeof value === "string" && Object.hasOwn(STAGES, value);
}
