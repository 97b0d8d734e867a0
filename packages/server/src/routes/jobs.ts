/**
 * GET /v1/jobs: the long work of every process on the same store: what runs, how far it is, what failed and why.
 */
import type { JobPartition, JobSummary } from "@strongroom/vault";
import type { Api, ApiContext } from "../api.ts";
import { problemAnswers } from "../openapi/answers.ts";
import { jobsAnswer } from "../openapi/job-schemas.ts";
import type { JobAnswer, PartitionAnswer } from "../openapi/job-schemas.ts";

export function jobRoutes(app: Api, { vault }: ApiContext): void {
  app.get(
    "/jobs",
    {
      config: { scope: "read", action: "keys", work: "none" },
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
    async (_request, reply) => reply.send({ jobs: (await vault.jobs()).map(shown) }),
  );
}

/** Member by member: where the work goes on stays inside. */
function shown({ job, states, done, failed, problem, takenAt, savedAt, partitions }: JobSummary): JobAnswer {
  return { job, states, done, failed, problem, takenAt, savedAt, partitions: partitions.map(shownPartition) };
}

function shownPartition(found: JobPartition): PartitionAnswer {
  const { partition, state, done, failed, problem, holder, takenAt, savedAt } = found;
  return { partition, state, done, failed, problem, holder, takenAt, savedAt };
}
