import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository's root: the vectors are those that the Go tests run. */
const root = fileURLToPath(new URL("../../../../", import.meta.url));

export const read = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(root + path));

export const readJson = <T>(path: string): T => JSON.parse(readFileSync(root + path, "utf8")) as T;
