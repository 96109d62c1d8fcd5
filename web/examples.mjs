// Writes the examples of docs/sdk-typescript.md to packages/dure/test/examples, which is not committed, for tsc to check.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const page = readFileSync(new URL("../docs/sdk-typescript.md", import.meta.url), "utf8");
const folder = new URL("packages/dure/test/examples/", import.meta.url);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
const examples = [...page.matchAll(/^```ts\n(.*?)^```$/gms)];
if (examples.length === 0) throw new Error("the page has no examples");
for (const [i, [, text]] of examples.entries()) writeFileSync(new URL(`example-${i + 1}.ts`, folder), text);
