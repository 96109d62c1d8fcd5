import { BaseSequencer, type TestSpecification } from "vitest/node";
import { defineConfig } from "vitest/config";

import base from "../vitest.config.js";

/** Time that has passed for the members does so for whoever comes after: the file that lets it pass is the last. */
class TimeLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const moves = (f: TestSpecification) => Number(f.moduleId.endsWith("/recovery.test.ts"));
    return [...files].sort((a, b) => moves(a) - moves(b));
  }
}

// Run by TestWallet of internal/e2e, which starts a network. One file after the other: they share it.
export default defineConfig({
  ...base,
  test: { include: ["e2e/*.test.ts"], fileParallelism: false, sequence: { sequencer: TimeLast }, testTimeout: 120_000, hookTimeout: 60_000 },
});
