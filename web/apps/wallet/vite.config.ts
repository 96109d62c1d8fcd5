import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// The built files have the same names each time and are committed: the node's binary embeds them (docs/decisions/095-typescript-workspace.md).
export default defineConfig({
  base: "/wallet/",
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@dureledger/dure/credential": here("../../packages/dure/src/credential/index.ts"), "@dureledger/dure": here("../../packages/dure/src/index.ts") } },
  build: {
    outDir: process.env["WALLET_OUT"] ?? here("../../../api/web/apps/wallet"),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    license: { fileName: "licenses.md" }, // those of the packages in it ask for that
    modulePreload: false,
    chunkSizeWarningLimit: 1000,
    rollupOptions: { output: { entryFileNames: "wallet.js", chunkFileNames: "[name].js", assetFileNames: "wallet[extname]" } },
  },
  // A node of `make up` answers for the page that is being worked on.
  server: { proxy: Object.fromEntries(["/dure.api.v1", "/static"].map((path) => [path, "http://localhost:8080"])) },
});
