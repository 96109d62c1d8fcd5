import { ed25519 } from "@noble/curves/ed25519.js";

import { type Bytes, concat, equal, fromBase64, own, toBase64, toHex, utf8 } from "../bytes.js";
import { Refusal } from "../refusal.js";
import { type Line, type Statement, keyId, text, validName } from "./checkpoint.js";

/** C2SP's signature type for timestamped Ed25519 cosignatures (tlog-cosignature). */
const cosignatureType = 4;

/** An outside party that cosigns checkpoints. */
export interface Witness {
  readonly name: string;
  /** Ed25519. */
  readonly key: Bytes;
}

/** Whose cosignatures a verifier asks for, and how many of them at least. */
export interface Policy {
  readonly witnesses: readonly Witness[];
  readonly threshold: number;
}

/** A cosignature that is good. Time is what the witness says, unix seconds. */
export interface Cosignature {
  readonly witness: Witness;
  readonly time: bigint;
}

/** parseWitness reads a C2SP verifier key: name+keyid+key. Refused with checkpoint.bad_witness. */
export function parseWitness(verifier: string): Witness {
  const [name = "", , ...rest] = verifier.split("+");
  const b = fromBase64(rest.join("+"));
  if (!b || b.length !== 33 || b[0] !== cosignatureType || !validName(name) || verifier !== `${name}+${toHex(keyId(name, b))}+${toBase64(b)}`) {
    throw new Refusal("checkpoint.bad_witness", "a witness key reads name+keyid+key, as made for cosigning; check for a typing mistake");
  }
  return { name, key: own(b.subarray(1)) };
}

/**
 * verifyCosignatures checks the lines of the policy's witnesses. One that is not good makes it refuse, with checkpoint.bad_cosignature; lines by
 * others are ignored. Also checkpoint.bad_policy and checkpoint.too_few_cosignatures.
 */
export function verifyCosignatures(statement: Statement, lines: readonly Line[], policy: Policy): Cosignature[] {
  checkPolicy(policy);
  const good: Cosignature[] = [];
  for (const line of lines) {
    for (const witness of policy.witnesses) {
      const id = keyId(witness.name, concat(Uint8Array.of(cosignatureType), witness.key));
      if (witness.name === line.name && equal(id, line.keyId)) good.push({ witness, time: check(statement, line, witness) });
    }
  }
  if (good.length < policy.threshold) {
    throw new Refusal("checkpoint.too_few_cosignatures", "fewer of the witnesses you named have cosigned than you ask for", {
      have: String(good.length), want: String(policy.threshold),
    });
  }
  return good;
}

function check(statement: Statement, line: Line, witness: Witness): bigint {
  const bad = new Refusal("checkpoint.bad_cosignature", `the cosignature by ${witness.name} is not good; it is damaged, forged or of another checkpoint`);
  if (line.signature.length !== 72 || line.name === statement.network) throw bad;
  const time = new DataView(line.signature.buffer).getBigUint64(0);
  const message = utf8(`cosignature/v1\ntime ${time}\n${text(statement)}`);
  let ok = false;
  try {
    ok = time < 1n << 63n && ed25519.verify(line.signature.subarray(8), message, witness.key, { zip215: false });
  } catch {
    // an encoding that is no point
  }
  if (!ok) throw bad;
  return time;
}

function checkPolicy(p: Policy): void {
  const bad = (why: string) => new Refusal("checkpoint.bad_policy", why);
  const keys = new Set(p.witnesses.map((w) => toHex(w.key)));
  if (keys.size < p.witnesses.length) throw bad("two witnesses have the same key");
  if (p.witnesses.some((w) => w.key.length !== 32 || !validName(w.name))) throw bad("a witness has no proper name or Ed25519 key");
  if (p.threshold < 0 || p.threshold > p.witnesses.length) throw bad("the number of cosignatures asked for must be from 0 to the number of witnesses");
}
