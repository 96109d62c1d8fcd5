import { execFile, execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/** setting is a variable of the environment that TestWallet sets. */
function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run go test -tags e2e -run TestWallet ./internal/e2e`);
  return value;
}

/** The members' nodes, by their ports at localhost, where passkeys count. */
export const nodes = setting("DURE_NODES").split(",");

/** Where pictures are written. */
export const pictures = setting("DURE_PICTURES");

/** The file that says how far the clocks of the members and of the command line are ahead, in nanoseconds. */
export const clock = setting("MOVED_CLOCK");

export const genesis = new Uint8Array(readFileSync(join(setting("DURE_HOME"), "genesis.json")));

/** dure runs the command line as a user of the network and returns what it prints. */
export const dure = (...args: string[]): string => execFileSync(setting("DURE_BINARY"), args, { encoding: "utf8", timeout: 60_000 }).trim();

/** secret is that of an Ed25519 key in the network's keystore. */
export const secret = (name: string): Uint8Array => new Uint8Array(Buffer.from(dure("key", "export", name, "--plain", "hex"), "hex"));

/** dureBeside runs the command line while this program goes on, for commands that ask it. */
export const dureBeside = async (...args: string[]): Promise<string> => (await promisify(execFile)(setting("DURE_BINARY"), args, { encoding: "utf8" })).stdout.trim();

/** dureSays starts the command line and returns its first line, and all that it says in the end. */
export function dureSays(...args: string[]): { first: Promise<string>; all: Promise<string> } {
  const child = spawn(setting("DURE_BINARY"), args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const first = new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (part: Buffer) => (said += part.toString()).includes("\n") && resolve(said.slice(0, said.indexOf("\n"))));
    child.once("close", () => reject(new Error(said)));
  });
  child.stderr.on("data", (part: Buffer) => (said += part.toString()));
  return { first, all: new Promise((resolve) => child.once("close", () => resolve(said))) };
}
