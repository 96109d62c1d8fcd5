import { Code, ConnectError, type Client as ServiceClient, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";

import { Pass, type Reader } from "./access.js";
import type { Clock } from "./clock.js";
import { AccessService, AccountService, AssetService, ErrorSchema, IdentityService, LedgerService, NetworkService, type Error as ApiError } from "./gen/dure/api/v1/api_pb.js";
import { Refusal } from "./refusal.js";

/** One node and the services of it that are used here. */
export interface Node {
  readonly address: string;
  readonly ledger: ServiceClient<typeof LedgerService>;
  readonly account: ServiceClient<typeof AccountService>;
  readonly asset: ServiceClient<typeof AssetService>;
  readonly network: ServiceClient<typeof NetworkService>;
  readonly identity: ServiceClient<typeof IdentityService>;
  /** Once the node has said that it belongs to the pinned network. */
  admitted: boolean;
}

/** Who reads at a node, of which network, and when: for nodes that answer by account. */
export interface Reading {
  readonly reader: Reader;
  readonly network: () => string | undefined;
  readonly clock: Clock;
}

export function newNode(address: string, fetch: typeof globalThis.fetch, reading?: Reading): Node {
  const options = { baseUrl: address.replace(/\/+$/, ""), useBinaryFormat: true, fetch };
  const access = () => createClient(AccessService, createConnectTransport(options));
  const pass = reading && new Pass(reading.reader, options.baseUrl, reading.network, reading.clock, access, readError);
  const transport = createConnectTransport({ ...options, interceptors: pass ? [pass.interceptor] : [] });
  return {
    address, admitted: false,
    ledger: createClient(LedgerService, transport),
    account: createClient(AccountService, transport),
    asset: createClient(AssetService, transport),
    network: createClient(NetworkService, transport),
    identity: createClient(IdentityService, transport),
  };
}

/** refusalOf is an error of the API as a Refusal. */
export function refusalOf(e: ApiError): Refusal {
  return new Refusal(e.code, e.message, e.fields, e.retryable ? e.retryAfterMs : undefined);
}

/** Statuses after which another node, or the same one later, may do better. */
const passing = new Set([Code.Unavailable, Code.ResourceExhausted, Code.Aborted, Code.DeadlineExceeded, Code.Internal, Code.Unknown, Code.Canceled]);

/** readError turns what a node said into a Refusal, and leaves trouble on the way as it is. */
export function readError(err: unknown): unknown {
  if (!(err instanceof ConnectError)) return err;
  if (err.cause instanceof Refusal) return err.cause;
  const [detail] = err.findDetails(ErrorSchema);
  if (!detail) return err; // only nodes send details: it may have been lost on the way
  return new Refusal(detail.code, detail.message, detail.fields, detail.retryable || passing.has(err.code) ? detail.retryAfterMs : undefined);
}
