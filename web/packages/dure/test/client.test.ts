import { create, fromBinary, toBinary, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";

import { Client, type Clock, Refusal, Undecided, Unreachable, formatAddress, keyAddress, transfer } from "@dureledger/dure";
import { secretSigner } from "@dureledger/dure/secret";

import { toBase64 } from "../src/bytes.js";
import * as api from "../src/gen/dure/api/v1/api_pb.js";

const network = "test-000102030405060708090a0b0c0d0e0f";
const signer = secretSigner("ed25519", new Uint8Array(32).fill(1));
const me = keyAddress(signer.key);
const you = formatAddress(new Uint8Array(20).fill(2));
const draft = { actions: [transfer({ asset: "krw", from: me, to: you, amount: "5" })] };

/** A clock whose sleeps take no time, and which moves by them. */
class QuickClock implements Clock {
  constructor(public time = Date.UTC(2026, 0, 1)) {}
  now() {
    return this.time;
  }
  async sleep(ms: number, signal?: AbortSignal) {
    signal?.throwIfAborted();
    this.time += ms;
  }
}

type Method = "Submit" | "GetStatus" | "GetTransaction" | "WatchTransactions";

/** What a node does with a call: its answer, or how it fails. */
type Behaviour = Partial<Record<Method, (request: Uint8Array) => Response | "lost">>;

const ok = <D extends DescMessage>(schema: D, init: MessageInitShape<D>) =>
  new Response(toBinary(schema, create(schema, init)), { headers: { "Content-Type": "application/proto" } });

function refuse(status: number, code: string, detail: MessageInitShape<typeof api.ErrorSchema>): Response {
  const value = toBase64(toBinary(api.ErrorSchema, create(api.ErrorSchema, detail))).replace(/=+$/, "");
  return new Response(JSON.stringify({ code, message: detail.message, details: [{ type: "dure.api.v1.Error", value }] }), {
    status, headers: { "Content-Type": "application/json" },
  });
}

const unknown = () => refuse(404, "not_found", { code: "tx.unknown", message: "no such transaction" });
const status = (clock: QuickClock, more: MessageInitShape<typeof api.GetStatusResponseSchema> = {}) => () =>
  ok(api.GetStatusResponseSchema, { network, height: 9n, indexHeight: 9n, time: new Date(clock.time).toISOString(), ...more });
const committed = (id = "") => ok(api.SubmitResponseSchema, { result: { id, outcome: { id, status: "ok", height: 7n } } });

/** world is some nodes, n0 and on, and what was submitted to them. */
function world(clock: QuickClock, ...nodes: Behaviour[]) {
  const submitted: { node: number; raw: string }[] = [];
  const fetch = (async (input: RequestInfo | URL, init?: RequestInit) => {
    const url = new URL(String(input instanceof Request ? input.url : input));
    const node = Number(url.hostname.slice(1));
    const method = url.pathname.split("/").pop() as Method;
    const body = new Uint8Array(await new Response(init?.body).arrayBuffer());
    if (method === "Submit") submitted.push({ node, raw: toBase64(fromBinary(api.SubmitRequestSchema, body).transaction) });
    const answer = (nodes[node]?.[method] ?? (method === "GetStatus" ? status(clock) : unknown))(body);
    if (answer === "lost") throw new TypeError("fetch failed");
    return answer;
  }) as typeof globalThis.fetch;
  const client = new Client({ nodes: nodes.map((_, i) => `http://n${i}`), network, fetch, clock });
  return { client, submitted };
}

describe("a payment", () => {
  test("is submitted at the next node, the same bytes, when one is lost", async () => {
    const clock = new QuickClock();
    const { client, submitted } = world(clock, { Submit: () => "lost" }, { Submit: () => committed() });
    expect((await client.send(draft, [signer])).status).toBe("ok");
    expect(submitted.map((s) => s.node)).toEqual([0, 1]);
    expect(submitted[0]?.raw).toBe(submitted[1]?.raw);
  });

  test("is signed anew only when a block later than its last moment shows that it never happened", async () => {
    const clock = new QuickClock();
    const begin = clock.time;
    const expired = () => ok(api.SubmitResponseSchema, { result: { error: { code: "tx.expired", message: "too late" } } });
    const { client, submitted } = world(clock, { Submit: () => (clock.time <= begin + 60_000 ? expired() : committed()) });
    await client.send(draft, [signer]);
    const raws = submitted.map((s) => s.raw);
    expect(new Set(raws).size).toBe(2);
    expect(raws.filter((raw) => raw !== raws[0]), "only the last is new").toEqual(raws.slice(-1));
  });

  test("is not signed anew while the index is behind", async () => {
    const clock = new QuickClock();
    const stop = new AbortController();
    let asked = 0;
    const { client, submitted } = world(clock, {
      Submit: () => "lost",
      GetStatus: () => {
        if (++asked > 60) stop.abort();
        return status(clock, { indexHeight: 8n, time: new Date(clock.time + 3_600_000).toISOString() })();
      },
    });
    await expect(client.send(draft, [signer], stop.signal)).rejects.toThrow(Undecided);
    expect(new Set(submitted.map((s) => s.raw)).size).toBe(1);
  });

  test("that went through before a node was lost is found, not repeated", async () => {
    const clock = new QuickClock();
    const { client, submitted } = world(
      clock,
      { Submit: () => "lost" },
      {
        Submit: () => ok(api.SubmitResponseSchema, { result: { error: { code: "tx.duplicate", message: "seen" } } }),
        GetTransaction: () => ok(api.GetTransactionResponseSchema, { transaction: { outcome: { status: "ok", height: 3n } } }),
      },
    );
    expect((await client.send(draft, [signer])).height).toBe(3n);
    expect(new Set(submitted.map((s) => s.raw)).size).toBe(1);
  });

  test("waits as long as a full node asks", async () => {
    const clock = new QuickClock();
    let times = 0;
    const full = () => ok(api.SubmitResponseSchema, { result: { error: { code: "pool.full", message: "full", retryable: true, retryAfterMs: 700 } } });
    const { client } = world(clock, { Submit: () => (times++ === 0 ? full() : committed()) });
    await client.send(draft, [signer]);
    expect(clock.time - Date.UTC(2026, 0, 1)).toBeGreaterThanOrEqual(700);
  });

  test("that the ledger refuses is a Refusal with its code and values", async () => {
    const outcome = { status: "failed", code: "asset.insufficient_balance", message: "not enough", fields: { have: "1" } };
    const { client, submitted } = world(new QuickClock(), { Submit: () => ok(api.SubmitResponseSchema, { result: { outcome } }) });
    const pay = client.pay({ asset: "krw", from: me, to: you, amount: "5" }, signer);
    await expect(pay).rejects.toMatchObject({ name: "Refusal", code: "asset.insufficient_balance", fields: { have: "1" } });
    expect(submitted.length).toBe(1);
  });
});

test("a watch goes on at another node from the last cursor, and shows nothing twice", async () => {
  const clock = new QuickClock();
  const cursors: string[] = [];
  const seen = (...seqs: bigint[]) => (request: Uint8Array) => {
    cursors.push(fromBinary(api.WatchTransactionsRequestSchema, request.subarray(5)).cursor); // after the envelope
    const messages = seqs.map((seq) => create(api.WatchTransactionsResponseSchema, { cursor: String(seq + 1n), transaction: { id: `t${seq}`, outcome: { seq } } }));
    const frames = messages.map((m) => envelope(0, toBinary(api.WatchTransactionsResponseSchema, m)));
    return new Response(new Blob([...frames, envelope(2, new TextEncoder().encode("{}"))]), { headers: { "Content-Type": "application/connect+proto" } });
  };
  const { client } = world(clock, { WatchTransactions: seen(5n) }, { WatchTransactions: seen(5n, 6n) });
  const ids: string[] = [];
  for await (const { transaction } of client.watch({ cursor: "5" })) {
    ids.push(transaction.id);
    if (transaction.id === "t6") break;
  }
  expect(ids).toEqual(["t5", "t6"]);
  expect(cursors).toEqual(["5", "6"]);
});

/** An envelope of the Connect protocol: flags, length, message. */
function envelope(flags: number, message: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(5 + message.length);
  out[0] = flags;
  new DataView(out.buffer).setUint32(1, message.length);
  out.set(message, 5);
  return out;
}

describe("reads", () => {
  test("go round until patience ends, and say what each node said", async () => {
    const { client } = world(new QuickClock(), { GetStatus: () => "lost" }, { GetStatus: () => "lost" });
    await expect(client.status()).rejects.toThrow(Unreachable);
    await expect(client.status()).rejects.toThrow(/n0.*fetch failed.*n1/);
  });

  test("never ask a node of another network", async () => {
    const clock = new QuickClock();
    const stranger = { GetStatus: status(clock, { network: "other-000102030405060708090a0b0c0d0e0f" }), Submit: () => committed() };
    const { client, submitted } = world(clock, stranger, { Submit: () => committed() });
    await client.send(draft, [signer]);
    expect(submitted.map((s) => s.node)).toEqual([1]);
    await expect(world(clock, stranger).client.status()).rejects.toThrow(/other-/);
  });

  test("of what is not there are undefined, and other refusals are told", async () => {
    const { client } = world(new QuickClock(), { GetTransaction: unknown });
    expect(await client.transaction("00".repeat(32))).toBeUndefined();
    const other = world(new QuickClock(), { GetTransaction: () => refuse(400, "invalid_argument", { code: "request.malformed", message: "no" }) });
    await expect(other.client.transaction("x")).rejects.toThrow(Refusal);
  });
});
