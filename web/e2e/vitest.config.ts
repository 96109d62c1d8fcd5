import { defineConfig } from "vitest/config";

import base from "../vitest.config.js";

// Run by TestWallet of internal/e2e, which starts a network. One file after the other: they share it.
export default defineConfig({ ...base, test: { include: ["e2e/*.test.ts"], fileParallelism: false, testTimeout: 120_000, hookTimeout: 60_000 } });
