import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (name: string) => fileURLToPath(new URL(`packages/dure/src/${name}.ts`, import.meta.url));

export default defineConfig({
  resolve: { alias: { "@dureledger/dure/credential": source("credential/index"), "@dureledger/dure/secret": source("secret"), "@dureledger/dure": source("index") } },
  test: { include: ["{packages,apps}/*/test/**/*.test.ts"], testTimeout: 60_000 },
});
