/** Every suite, with and without frames. */
import { ALGORITHM_SUITES } from "@strongroom/envelope/format";
import { describeTampering } from "../test/support/tampering.ts";

describeTampering(
  Object.values(ALGORITHM_SUITES).flatMap(
    (suite) =>
      [
        [suite, 4],
        [suite, null],
      ] as const,
  ),
);
