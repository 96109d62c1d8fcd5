import { fromJson } from "@bufbuild/protobuf";
import { sha256 } from "@noble/hashes/sha2.js";

import { type Bytes, equal, toHex } from "../bytes.js";
import { type Genesis, GenesisSchema, type Outcome, Status } from "../gen/dure/ledger/v1/ledger_pb.js";
import { Refusal } from "../refusal.js";
import { type Checkpoint, readCheckpoint } from "./checkpoint.js";
import { type Commit, type Evidence, type Header, keySizes } from "./evidence.js";
import { type Tally, type ValidatorSet, checkValidators, headerHash, sortValidators, verifyCommit } from "./header.js";
import { readReceipt } from "./receipt.js";
import { verifyState } from "./state.js";
import { type Cosignature, type Policy, verifyCosignatures } from "./witness.js";

const maxGenesis = 16 << 20; // bytes
const nobody: Policy = { witnesses: [], threshold: 0 };

/** Where an anchor comes from. Heights and powers are whole numbers that may be larger than a double holds. */
export interface Basis {
  /** True for the genesis file, false for a checkpoint. */
  readonly genesis: boolean;
  /** Of the checkpoint; 1 for genesis. */
  readonly height: bigint;
  /** Of the checkpoint's header; undefined for genesis. */
  readonly time?: Date;
  readonly validators: number;
  readonly power: bigint;
  readonly cosignatures: readonly Cosignature[];
  /** What the checkpoint was verified from, when it was. */
  readonly through?: Basis;
}

/** What a verification rests on, and the header it ends at. */
export interface Grounds {
  readonly network: string;
  readonly basis: Basis;
  /** Changes of validators on the way, each signed by more than two thirds of the set before. */
  readonly changes: number;
  /** The header that signs what was verified. */
  readonly height: bigint;
  readonly time: Date;
  readonly header: Bytes;
  /** Who signed it, out of how many. */
  readonly signatures: number;
  readonly validators: number;
  readonly power: bigint;
  readonly totalPower: bigint;
}

/** A receipt that holds. */
export interface Verified extends Grounds {
  /** Of the transaction, 64 hex digits. */
  readonly id: string;
  /** Whether every action happened; if not, outcome.refusal says why none did. */
  readonly ok: boolean;
  readonly outcome: Outcome;
  /** The outcome's bytes as signed. Two receipts of a transaction that hold must have the same. */
  readonly serialised: Bytes;
  /** The transaction as executed; empty if the receipt leaves it out. */
  readonly transaction: Bytes;
  /** Time of the block that executed it. */
  readonly executed: Date;
  /** By witnesses that were asked for, all good. */
  readonly cosignatures: readonly Cosignature[];
}

/** A checkpoint that holds, and the anchor that it gives. */
export interface VerifiedCheckpoint extends Grounds {
  readonly checkpoint: Checkpoint;
  readonly cosignatures: readonly Cosignature[];
  readonly anchor: Anchor;
}

/** What a node shows of the state: the value of a raw key, undefined if it is absent, and what proves it. */
export interface StateProof {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
  /** A serialised cosmos.ics23.v1.CommitmentProof. */
  readonly proof: Uint8Array;
  readonly checkpoint: Uint8Array;
}

/**
 * What a verifier trusts to begin with: the genesis file of a network, or a checkpoint. Everything is computed here: no node is asked, and none
 * is believed.
 */
export class Anchor {
  private constructor(
    readonly network: string,
    /** To give a node as trusted when asking it for a receipt. */
    readonly height: bigint,
    private readonly set: ValidatorSet,
    readonly basis: Basis,
    private readonly header?: Bytes,
  ) {}

  /** fromGenesis trusts a genesis file. Refused with genesis.malformed or proof.bad_validators. */
  static fromGenesis(file: Uint8Array): Anchor {
    const { network, genesis } = readGenesis(file);
    const list = (genesis.network?.members ?? []).filter((m) => m.power !== 0n);
    if (list.some((m) => !(keySizes as readonly number[]).includes(m.validatorKey.length))) throw new Refusal("genesis.malformed", "a validator's key must have 32 bytes, or 1952 of ML-DSA-65");
    const set = checkValidators(sortValidators(list.map((m) => ({ key: new Uint8Array(m.validatorKey), power: m.power }))));
    return new Anchor(network, 1n, set, { genesis: true, height: 1n, validators: list.length, power: set.total, cosignatures: [] });
  }

  /**
   * fromCheckpoint trusts a checkpoint file as it is if the policy's witnesses have cosigned it; without a policy because the caller does.
   * It finds damage, but takes the file's word for who the validators are: see verifyCheckpoint.
   */
  static fromCheckpoint(file: Uint8Array, policy = nobody): Anchor {
    const c = readCheckpoint(file);
    const cosignatures = verifyCosignatures(c, c.lines, policy);
    const set = checkValidators(c.validators);
    matchHeader(c, headerHash(c.network, set, c.evidence.header));
    verifyCommit(c.network, set, c.header, c.height, c.evidence.commit);
    return Anchor.at(c, set, cosignatures);
  }

  private static at(c: Checkpoint, set: ValidatorSet, cosignatures: readonly Cosignature[], through?: Basis): Anchor {
    const basis = { genesis: false, height: c.height, time: date(c.time), validators: set.list.length, power: set.total, cosignatures, ...(through && { through }) };
    return new Anchor(c.network, c.height, set, basis, c.header);
  }

  /**
   * verifyReceipt verifies a receipt file, and that the policy's witnesses have cosigned it. What does not hold is a Refusal with a code of
   * docs/receipt.md.
   */
  verifyReceipt(file: Uint8Array, policy = nobody): Verified {
    const r = readReceipt(file);
    if (r.network !== this.network) {
      throw new Refusal("receipt.wrong_network", "the receipt is from another network than the one you trust", { receipt: r.network, trusted: this.network });
    }
    const trail = this.follow(r.evidence);
    const last = r.evidence.header;
    if (r.outcome.height < 1n || r.outcome.height >= last.height) {
      throw new Refusal("receipt.bad_outcome", "the outcome claims a block that the header cannot speak for");
    }
    const statement = { ...r, height: last.height, time: last.time, header: trail.hash, validators: trail.set.list };
    return {
      ...this.grounds(r.evidence, trail), id: toHex(r.outcome.id), ok: r.outcome.status === Status.OK, outcome: r.outcome, serialised: r.serialised,
      transaction: r.transaction, executed: new Date(Number(r.outcome.time)), cosignatures: verifyCosignatures(statement, r.cosignatures, policy),
    };
  }

  /** verifyCheckpoint verifies a checkpoint file, and that the policy's witnesses have cosigned it. Codes are in docs/checkpoint.md. */
  verifyCheckpoint(file: Uint8Array, policy = nobody): VerifiedCheckpoint {
    const c = readCheckpoint(file);
    if (c.network !== this.network) {
      throw new Refusal("checkpoint.wrong_network", "the checkpoint is from another network than the one you trust", { checkpoint: c.network, trusted: this.network });
    }
    const cosignatures = verifyCosignatures(c, c.lines, policy);
    const trail = this.follow(c.evidence);
    matchHeader(c, trail.hash);
    const set = checkValidators(c.validators);
    if (!equal(set.hash, trail.set.hash)) {
      throw new Refusal("checkpoint.wrong_validators", "the checkpoint names other validators than those who signed its header");
    }
    return { ...this.grounds(c.evidence, trail), checkpoint: c, cosignatures, anchor: Anchor.at(c, set, cosignatures, this.basis) };
  }

  /**
   * verifyState verifies a value of the state, or its absence, as of the block before the checkpoint's header. Codes: those of verifyCheckpoint,
   * and of docs/state.md.
   */
  verifyState(p: StateProof, policy = nobody): VerifiedCheckpoint {
    const v = this.verifyCheckpoint(p.checkpoint, policy);
    verifyState(v.checkpoint.stateRoot, p.proof, p.key, p.value);
    return v;
  }

  /** follow walks over every change of validators to the evidence's header, verifying all of it. */
  private follow(e: Evidence): Trail {
    let set = this.set;
    let lowest = this.height;
    let after = -1n;
    for (const c of e.changes) {
      this.step(set, c.header, c.commit, lowest, after);
      const fields = { height: String(c.header.height) };
      const next = checkValidators(c.next);
      if (!equal(next.hash, c.header.nextValidatorsHash)) {
        throw new Refusal("proof.wrong_validators", "the new validators are not the ones that the validators before them signed", fields);
      }
      if (equal(next.hash, set.hash)) throw new Refusal("proof.no_change", "a change of validators changes nothing", fields);
      set = next;
      lowest = c.header.height + 1n;
      after = c.header.time;
    }
    return { set, ...this.step(set, e.header, e.commit, lowest, after) };
  }

  /** step verifies one header by the set of the moment: at or above lowest, later than after. */
  private step(set: ValidatorSet, h: Header, c: Commit, lowest: bigint, after: bigint): { hash: Bytes; tally: Tally } {
    const fields = { height: String(h.height) };
    if (h.height < this.height) {
      throw new Refusal("proof.before_anchor", "the file's proof begins before the point you trust; ask a node for it again, from that height", fields);
    }
    if (h.height < lowest || h.time <= after) throw new Refusal("proof.out_of_order", "the headers of a proof must go up in height and time", fields);
    const hash = headerHash(this.network, set, h);
    if (this.header && h.height === this.height && !equal(hash, this.header)) {
      throw new Refusal("proof.wrong_header", "the header at the height of your checkpoint is another than the checkpoint's; do not trust this file", fields);
    }
    return { hash, tally: verifyCommit(this.network, set, hash, h.height, c) };
  }

  private grounds(e: Evidence, t: Trail): Grounds {
    return {
      network: this.network, basis: this.basis, changes: e.changes.length, height: e.header.height, time: date(e.header.time), header: t.hash,
      signatures: t.tally.signatures, validators: t.set.list.length, power: t.tally.power, totalPower: t.set.total,
    };
  }
}

interface Trail {
  set: ValidatorSet;
  hash: Bytes;
  tally: Tally;
}

function matchHeader(c: Checkpoint, hash: Bytes): void {
  if (!equal(hash, c.header)) {
    throw new Refusal("checkpoint.wrong_header", "the checkpoint's text and the header that validators signed do not agree; the file is damaged or forged");
  }
}

const date = (nanoseconds: bigint): Date => new Date(Number(nanoseconds / 1_000_000n));

/** readGenesis reads a genesis file and derives the id of its network. Refused with genesis.malformed. */
export function readGenesis(file: Uint8Array): { network: string; genesis: Genesis } {
  const bad = (why: string) => new Refusal("genesis.malformed", `this is not a genesis file: ${why}`);
  if (file.length > maxGenesis) throw bad("it is larger than 16 MiB");
  let genesis: Genesis;
  try {
    genesis = fromJson(GenesisSchema, JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file)));
  } catch (err) {
    throw bad(err instanceof Error ? err.message : String(err));
  }
  if (!/^[a-z0-9](?:[a-z0-9-]{0,14}[a-z0-9])?$/.test(genesis.name)) throw bad("its name is not 1 to 16 of a-z, 0-9 and dashes inside");
  if (genesis.time <= 0n || !genesis.network?.members.length) throw bad("it has no time or no members");
  return { network: `${genesis.name}-${toHex(sha256(file).slice(0, 16))}`, genesis };
}
