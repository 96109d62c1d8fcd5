import { toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, type Client as ServiceClient, type Interceptor, type StreamResponse } from "@connectrpc/connect";
import { sha256 } from "@noble/hashes/sha2.js";

import type { Address } from "./address.js";
import { type Bytes, own, toBase64url, utf8 } from "./bytes.js";
import type { Clock } from "./clock.js";
import type { AccessService } from "./gen/dure/api/v1/api_pb.js";
import { WitnessSchema } from "./gen/dure/tx/v1/tx_pb.js";
import type { Signer, ToSign } from "./key.js";
import { Refusal } from "./refusal.js";

/**
 * Says which account reads, and with which key, for nodes that answer by account (docs/access.md). It is asked when such a node wants a new
 * token, which lasts five minutes: a person with a passkey is asked as often. What it refuses, or its key declines, ends the call.
 */
export type Reader = () => Promise<{ account: Address; signer: Signer }>;

/** What an account says once to be given a token: that the key of a thumbprint may read for it at one node. */
export interface Claim {
  readonly network: string;
  /** The node's host as it is reached, with its port if that is not the scheme's own. */
  readonly audience: string;
  readonly account: Address;
  readonly nonce: string;
  readonly thumbprint: string;
}

/** claimToSign is what a key that acts for the account signs of a claim. */
export function claimToSign(c: Claim): ToSign {
  const preimage = utf8(["dure/access/v1", c.network, c.audience, c.account, c.nonce, c.thumbprint, ""].join("\n"));
  return { preimage, digest: own(sha256(preimage)) };
}

/** Signs proofs of possession (RFC 9449) with a key of its own, which cannot be read out. */
export class Prover {
  private constructor(
    private readonly key: CryptoKey,
    private readonly jwk: { kty: string; crv: string; x: string; y: string },
    /** RFC 7638. */
    readonly thumbprint: string,
  ) {}

  static async make(): Promise<Prover> {
    const pair = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"])) as CryptoKeyPair;
    const { x = "", y = "" } = await crypto.subtle.exportKey("jwk", pair.publicKey);
    const named = JSON.stringify({ crv: "P-256", kty: "EC", x, y }); // in the order of RFC 7638
    return new Prover(pair.privateKey, { kty: "EC", crv: "P-256", x, y }, hash(named));
  }

  /** prove shows that a request to a URL with a token is by this key, at a time of unix seconds. */
  async prove(url: string, token: string, at: number): Promise<string> {
    const part = (v: object) => toBase64url(utf8(JSON.stringify(v)));
    const jti = toBase64url(crypto.getRandomValues(new Uint8Array(16)));
    const draft = `${part({ typ: "dpop+jwt", alg: "ES256", jwk: this.jwk })}.${part({ jti, htm: "POST", htu: url, iat: at, ath: hash(token) })}`;
    return `${draft}.${toBase64url(new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, this.key, utf8(draft))))}`;
  }
}

const hash = (text: string): string => toBase64url(sha256(utf8(text)));

/** declined makes a no for good of a key that did not sign, so that nobody is asked again and again. */
function declined(err: unknown): never {
  if (err instanceof Refusal) throw err;
  throw new Refusal("access.declined", `the node wants to know who reads, and the key did not sign: ${err instanceof Error ? err.message : String(err)}`);
}

/** How long before its end a token is not used any more, in milliseconds. */
const renewBefore = 20_000;

/** Refusals after which the same request may go with a new token. */
const renewable = new Set(["access.token_bad", "access.token_expired", "access.stream_ended", "access.proof_stale"]);

/** What one node lets a reader in by: a token, got when the node first asks for one and again before it ends. */
export class Pass {
  /** URLs that the node has refused without a token. */
  private readonly asked = new Set<string>();
  private token = "";
  /** When it ends, and how far the node's clock is ahead, in milliseconds. */
  private ends = 0;
  private ahead = 0;
  private prover?: Prover;
  private renewing: Promise<void> | undefined;

  constructor(
    private readonly reader: Reader,
    private readonly address: string,
    private readonly network: () => string | undefined,
    private readonly clock: Clock,
    /** Without this pass. */
    private readonly service: () => ServiceClient<typeof AccessService>,
    /** Reads the node's refusal out of an error. */
    private readonly refusal: (err: unknown) => unknown,
  ) {}

  /** Shows who reads where the node has asked, and asks again when it does. Streams that end with their token are opened anew by who reads them. */
  readonly interceptor: Interceptor = (next) => async (req) => {
    const url = req.url;
    for (let round = 0; ; round++) {
      const used = this.asked.has(url) ? await this.show(url, req.header) : "";
      try {
        const res = await next(req);
        return res.stream ? { ...res, message: this.follow(url, used, res.message) } : res;
      } catch (err) {
        if (req.stream || round === 2 || !this.again(url, used, err)) throw err;
      }
    }
  };

  private async *follow(url: string, used: string, messages: StreamResponse["message"]): StreamResponse["message"] {
    try {
      yield* messages;
    } catch (err) {
      throw this.again(url, used, err) ? new ConnectError("the node wants a new token", Code.Unavailable) : err;
    }
  }

  /** again looks at how a call ended, and says whether it may be made again with a token or a newer one. */
  private again(url: string, used: string, err: unknown): boolean {
    const said = this.refusal(err);
    if (!(said instanceof Refusal)) return false;
    if (said.code === "access.token_needed") {
      const first = !this.asked.has(url);
      this.asked.add(url);
      return first;
    }
    if (!renewable.has(said.code)) return false;
    if (used === this.token) this.token = ""; // another call may have renewed it
    return true;
  }

  /** show adds a token and a proof to the headers of a request, and returns the token; none if the node has begun to answer everybody. */
  private async show(url: string, header: Headers): Promise<string> {
    if (!this.token || this.now() + renewBefore >= this.ends) {
      this.renewing ??= this.renew().finally(() => (this.renewing = undefined)); // one call asks for all
      await this.renewing;
    }
    if (!this.token || !this.prover) return "";
    header.set("Authorization", `DPoP ${this.token}`);
    header.set("DPoP", await this.prover.prove(url, this.token, Math.floor(this.now() / 1000)));
    return this.token;
  }

  private now(): number {
    return this.clock.now() + this.ahead;
  }

  private async renew(): Promise<void> {
    try {
      this.prover ??= await Prover.make();
      const { account, signer } = await this.reader().catch(declined);
      const challenge = await this.service().getChallenge({});
      this.ahead = Date.parse(challenge.time) - this.clock.now();
      const said = { account, nonce: challenge.nonce, audience: new URL(this.address).host, thumbprint: this.prover.thumbprint };
      const witness = await signer.sign(claimToSign({ ...said, network: this.network() ?? "" })).catch(declined);
      const res = await this.service().createToken({ ...said, witness: toBinary(WitnessSchema, witness) as Bytes });
      [this.token, this.ends] = [res.token, Date.parse(res.expiresAt)];
    } catch (err) {
      const refused = this.refusal(err);
      if (!(refused instanceof Refusal) || refused.code !== "access.open") throw refused;
      this.asked.clear();
      this.token = "";
    }
  }
}
