/**
 * The form of the answer about jobs.
 */
import type { JobPartition, JobSummary } from "@strongroom/vault";
import { z } from "zod";
import { count, timestamp } from "./schemas.ts";

/** A partition as the service shows it: without the place where its work goes on, which may be a record's id. */
export type PartitionAnswer = Omit<JobPartition, "job" | "fence" | "cursor">;

export interface JobAnswer extends Omit<JobSummary, "partitions"> {
  readonly partitions: readonly PartitionAnswer[];
}

export interface JobsAnswer {
  readonly jobs: readonly JobAnswer[];
}

const problem = z.object({ code: z.string(), at: timestamp }).nullable();

export const jobsAnswer: z.ZodType<JobsAnswer> = z
  .object({
    jobs: z.array(
      z.object({
        job: z.string().meta({ examples: ["repair"] }),
        states: z
          .object({ waiting: count, due: count, running: count, finished: count })
          .meta({ description: "How many partitions are in each state." }),
        done: count.meta({ description: "Items that are done, in all partitions." }),
        failed: count.meta({ description: "Items that failed, in all partitions." }),
        problem: problem.meta({ description: "Why the last item failed, null when none did." }),
        takenAt: timestamp.nullable().meta({ description: "When a partition was last taken." }),
        savedAt: timestamp.nullable().meta({ description: "When one was last saved." }),
        partitions: z.array(
          z.object({
            partition: z.string(),
            state: z.enum(["waiting", "due", "running", "finished"]).meta({
              description:
                "`waiting`: nothing is due. `due`: any process may take it. `running`: a process holds it. " +
                "`finished`: nothing is left of it.",
            }),
            done: count,
            failed: count,
            problem,
            holder: z
              .string()
              .nullable()
              .meta({ description: "What the process calls itself that holds it, or held it last." }),
            takenAt: timestamp.nullable(),
            savedAt: timestamp.nullable(),
          }),
        ),
      }),
    ),
  })
  .meta({ id: "JobsAnswer" });
