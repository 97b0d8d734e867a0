/**
 * GET /v1/jobs: the long work of every process on the same store: what runs, how far it is, what failed and why.
 */
import type { JobPartition } from "@strongroom/vault";
import type { Api, ApiContext } from "../api.ts";
import { problemAnswers } from "../openapi/answers.ts";
import { jobsAnswer } from "../openapi/job-schemas.ts";
import type { JobAnswer, PartitionAnswer } from "../openapi/job-schemas.ts";

export function jobRoutes(app: Api, { vault }: ApiContext): void {
  app.get(
    "/jobs",
    {
      config: { scope: "read", work: "none" },
      schema: {
        operationId: "listJobs",
        summary: "List the jobs",
        description:
          "Each job is cut into partitions that the processes of a store take in turn. What is listed is of all of " +
          "them, whichever process is asked.",
        tags: ["service"],
        response: {
          200: { description: "Every job, by name.", content: { "application/json": { schema: jobsAnswer } } },
          ...problemAnswers(),
        },
      },
    },
    async (_request, reply) => reply.send({ jobs: byJob(await vault.jobs()) }),
  );
}

/** The partitions come in the order of their jobs. */
function byJob(partitions: readonly JobPartition[]): readonly JobAnswer[] {
  const jobs = Map.groupBy(partitions, ({ job }) => job);
  const sum = (of: readonly JobPartition[], count: "done" | "failed"): number =>
    of.reduce((total, partition) => total + partition[count], 0);
  return [...jobs].map(([job, of]) => ({
    job,
    done: sum(of, "done"),
    failed: sum(of, "failed"),
    partitions: of.map(shown),
  }));
}

/** Member by member: where the work goes on stays inside. */
function shown({ partition, state, done, failed, problem, holder, takenAt, savedAt }: JobPartition): PartitionAnswer {
  return { partition, state, done, failed, problem, holder, takenAt, savedAt };
}
