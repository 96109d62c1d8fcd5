import { sha256 } from "@noble/hashes/sha2.js";

import { type Bytes, compare, concat, equal, fromBase64, own, toBase64, utf8 } from "../bytes.js";
import { Refusal } from "../refusal.js";
import { type Evidence, type Validator, keySizes, readEvidence } from "./evidence.js";
import { appHash } from "./merkle.js";
import { Reader } from "./wire.js";

const maxCheckpoint = 2 << 20; // bytes
const maxLines = 128;
const maxValidators = 1 << 16;

/** What a header signs, as cosignatures state it: docs/checkpoint.md. Times are unix nanoseconds. */
export interface Statement {
  network: string;
  size: bigint;
  logRoot: Bytes;
  height: bigint;
  time: bigint;
  header: Bytes;
  stateRoot: Bytes;
  validators: readonly Validator[];
}

/** A signature line of a signed note, not verified. */
export interface Line {
  name: string;
  keyId: Bytes;
  /** What follows the key id. */
  signature: Bytes;
}

/** A checkpoint file that is in its one form. No signature is verified: see Anchor. */
export interface Checkpoint extends Statement {
  evidence: Evidence;
  lines: Line[];
}

/** text is what cosignatures sign: the note's text, with its final newline. */
export function text(s: Statement): string {
  const lines = [
    s.network, String(s.size), toBase64(s.logRoot), `height ${s.height}`, `time ${s.time}`, `header ${toBase64(s.header)}`, `state ${toBase64(s.stateRoot)}`,
    ...s.validators.map((v) => `validator ${v.power} ${toBase64(v.key)}`),
  ];
  return lines.join("\n") + "\n";
}

const malformed = (what: string) => new Refusal("checkpoint.malformed", `the checkpoint is damaged or not complete: ${what}`);
const notOne = (what: string) => new Refusal("checkpoint.not_a_checkpoint", `this is not a checkpoint: ${what}`);

/** readCheckpoint reads a checkpoint file. Refused with checkpoint.too_large, not_a_checkpoint or malformed, or proof.malformed. */
export function readCheckpoint(file: Uint8Array): Checkpoint {
  if (file.length > maxCheckpoint) throw new Refusal("checkpoint.too_large", "a checkpoint is at most 2 MiB");
  let whole: string;
  try {
    whole = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(file);
  } catch {
    throw notOne("it is no text");
  }
  const cut = whole.indexOf("\n\n");
  if (cut < 0) throw notOne("it has no signature lines after an empty line");
  const statement = readText(whole.slice(0, cut + 1));
  const lines = readLines(whole.slice(cut + 2));
  const first = lines[0] as Line;
  const isEvidence = (layout: string) => equal(first.keyId, keyId(first.name, concat(Uint8Array.of(0xff), utf8(`dure/evidence/${layout}`))));
  const wide = isEvidence("v2");
  if (first.name !== statement.network || !(wide || isEvidence("v1"))) {
    throw malformed("its first signature line must be the network's");
  }
  const r = new Reader(first.signature, wide);
  const evidence = readEvidence(r, appHash(statement.stateRoot, statement.size, statement.logRoot));
  r.end();
  if (evidence.header.height !== statement.height || evidence.header.time !== statement.time) {
    throw malformed("its text and its header name different heights or times");
  }
  return { ...statement, evidence, lines: lines.slice(1) };
}

function readText(note: string): Statement {
  const lines = note.slice(0, -1).split("\n");
  if (lines.length < 8 || lines.length > 7 + maxValidators) {
    throw notOne("it must have lines for the network, the log, the header, the state and the validators");
  }
  const line = (i: number, word: string) => (lines[i] as string).slice(word.length);
  const bytes = (encoded: string, sizes: readonly number[]) => {
    const b = fromBase64(encoded);
    return b && sizes.includes(b.length) ? b : new Uint8Array(32);
  };
  const hash = (encoded: string) => bytes(encoded, [32]);
  const s: Statement = {
    network: line(0, ""), size: decimal(line(1, "")), logRoot: hash(line(2, "")), height: decimal(line(3, "height ")), time: decimal(line(4, "time ")),
    header: hash(line(5, "header ")), stateRoot: hash(line(6, "state ")),
    validators: lines.slice(7).map((l) => {
      const [, power = "", key = ""] = l.split(" ");
      return { power: decimal(power), key: bytes(key, keySizes) };
    }),
  };
  // Writing it again and comparing finds every mistake and every second way to write the same.
  if (text(s) !== note) throw malformed("its text is not in the one form the format allows");
  const most = (1n << 63n) - 1n;
  if (s.network.length > 49 || !validName(s.network)) throw malformed("its first line is not a network id");
  if (s.size >= 1n << 64n || s.height < 1n || s.height > most || s.time > most || s.validators.some((v) => v.power > most)) {
    throw malformed("its height, time, size or a power is out of range");
  }
  return s;
}

/** decimal reads digits; what are none, or too many, become 0, which writing the text again finds. */
const decimal = (digits: string): bigint => (/^[0-9]{1,20}$/.test(digits) ? BigInt(digits) : 0n);

function readLines(notes: string): Line[] {
  const texts = notes.slice(0, -1).split("\n");
  if (!notes.endsWith("\n") || texts.length > maxLines) throw malformed("it must end in 1 to 128 signature lines, each ended by a newline");
  const lines: Line[] = [];
  const seen = new Set<string>();
  for (const one of texts) {
    const [dash, name = "", signature = "", more] = one.split(" ");
    const b = fromBase64(signature);
    if (dash !== "—" || more !== undefined || !validName(name) || !b || b.length <= 4) throw malformed("a signature line is not in the form of a signed note");
    const key = `${name} ${toBase64(b.subarray(0, 4))}`;
    if (seen.has(key)) throw malformed("two signature lines are by the same key");
    seen.add(key);
    lines.push({ name, keyId: own(b.subarray(0, 4)), signature: own(b.subarray(4)) });
  }
  return lines;
}

/** validName is the rule of C2SP signed-note for key names, in printable ASCII. */
export const validName = (name: string): boolean => /^[!-*,-~]{1,255}$/.test(name);

/** compareLines orders cosignatures as receipts have them: by name, then key id. */
export function compareLines(a: Line, b: Line): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return compare(a.keyId, b.keyId);
}

/** keyId is C2SP signed-note's. */
export function keyId(name: string, typeAndKey: Uint8Array): Bytes {
  return own(sha256(concat(utf8(`${name}\n`), typeAndKey)).slice(0, 4));
}
