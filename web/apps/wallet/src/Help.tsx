import { type FormEvent, useCallback, useEffect, useState } from "react";

import { type Action, type Address, type GetAccountResponse, KeyKind, agreeRecovery, finishRecovery, objectRecovery, verifySignatures } from "@dureledger/dure";

import { type Request, readRequest, requestBytes, tidyAddress } from "./authority.js";
import { Confirm, Trouble, useDeed } from "./deed.js";
import { Field, ScanButton } from "./field.js";
import type { TextKey } from "./texts.js";
import { Card, Fact, Facts, primary, secondary, when } from "./ui.js";
import type { View } from "./view.js";
import type { Wallet } from "./wallet.js";
import { KeyNumber, Who } from "./who.js";
import { useWords } from "./words.js";

/** What was found for what the person has given: a request to sign, or somebody's account. */
type Found = { readonly request: Request } | { readonly account: Address };

/** Helping others to their account: signing what they ask for, and the recoveries that have begun. */
export function Help({ view, wallet, text }: { view: View; wallet: Wallet; text: string }) {
  const { t } = useWords();
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState<string>();
  const [found, setFound] = useState<Found>();
  const look = useCallback((what: string) => {
    const account = tidyAddress(what);
    if (account) return setFound({ account });
    const raw = requestBytes(what);
    const request = raw && readRequest(raw, view.account!, Date.now());
    if (!request) return setWrong(t("help.bad"));
    if (!("no" in request)) return isSigned(view.network, request.raw) ? setFound({ request }) : setWrong(t("help.bad"));
    setWrong(request.no === "other" ? t("help.other", request.account) : t(`help.${request.no}`));
  }, [view.account, view.network, t]);
  useEffect(() => {
    if (text) look(text);
  }, [text]); // eslint-disable-line -- only when the address of the page names another request
  const submit = (e: FormEvent) => {
    e.preventDefault();
    setWrong(undefined);
    look(typed);
  };
  if (found && "request" in found) return <Answer request={found.request} wallet={wallet} done={(account) => setFound(account ? { account } : undefined)} />;
  return (
    <>
      <p className="mb-4">{t("help.about")}</p>
      <form onSubmit={submit} noValidate>
        <Field id="request" label="help.text" value={typed} put={(v) => { setTyped(v); setWrong(undefined); }} wrong={wrong} mono />
        <ScanButton found={(what) => { setTyped(what); setWrong(undefined); look(what); }} />
        <button className={`${primary} mb-6`}>{t("help.find")}</button>
      </form>
      {found && <Running account={found.account} view={view} wallet={wallet} />}
    </>
  );
}

/** isSigned says whether the new key has signed what it asks for. */
function isSigned(network: string, raw: Uint8Array): boolean {
  try {
    verifySignatures(network, raw);
    return true;
  } catch {
    return false; // damaged, or for another network
  }
}

/** The last look at a request, and signing it. */
function Answer({ request, wallet, done }: { request: Request; wallet: Wallet; done: (account: Address | undefined) => void }) {
  const { t } = useWords();
  const deed = useDeed();
  const joins = request.kind === "join";
  const act = () =>
    deed.run(async () => {
      await wallet.answer(request.raw);
      if (joins) location.hash = "keys";
      done(joins ? undefined : request.account);
    });
  return (
    <>
      <Trouble deed={deed} />
      <Confirm title={joins ? "help.join" : "help.recover"} yes={joins ? "keys.add.yes" : "help.begin"} no="deed.cancel" working="deed.working" deed={deed} act={() => void act()} back={() => done(undefined)}>
        <Facts>
          {!joins && <Fact name="help.account"><span className="break-all font-mono">{request.account}</span></Fact>}
          <Fact name="request.key">
            {!joins && `${t(kindText(request.keyKind))} `}
            <KeyNumber address={request.key} />
          </Fact>
        </Facts>
        <p className="mt-3">{t(joins ? "help.join.about" : "help.recover.about")}</p>
      </Confirm>
    </>
  );
}

const kindText = (kind: KeyKind): TextKey =>
  ({ [KeyKind.WEBAUTHN]: "kind.webauthn", [KeyKind.P256]: "kind.p256", [KeyKind.ED25519]: "kind.ed25519", [KeyKind.SECP256K1]: "kind.secp256k1" } as Partial<Record<KeyKind, TextKey>>)[kind] ?? "kind.ml-dsa-65";

/** The recovery of somebody's account, as it is now, and what this account may do about it. */
function Running({ account, view, wallet }: { account: Address; view: View; wallet: Wallet }) {
  const { t, lang } = useWords();
  const deed = useDeed();
  const [said, setSaid] = useState<TextKey>();
  const details = useAccount(account, wallet);
  if (details === "looking") return <p role="status">{t("loading")}</p>;
  const q = details?.recovery?.request;
  const rules = details?.recovery?.rules;
  const me = view.address!;
  const act = (action: Action) =>
    deed.run(async () => {
      setSaid(undefined);
      setSaid((await wallet.act([action], t("reason.recovery"))).waits ? "deed.proposed" : "deed.done");
    });
  return (
    <>
      <Trouble deed={deed} />
      <div role="status">{said && <p className="mb-4 rounded-lg bg-good-bg px-4 py-3 text-good">{t(said)}</p>}</div>
      <Card>
        <h2 className="mb-3 text-lg font-semibold"><Who address={account} view={view} /></h2>
        {!details ? <p>{t("pay.bad.unknown")}</p> : !q || !rules ? <p>{t("help.none")}</p> : (
          <>
            <Facts>
              <Fact name="request.key"><KeyNumber address={q.key} /></Fact>
              <Fact name="help.begun"><Who address={q.begunBy} view={view} /></Fact>
              {!q.bySponsor && <Fact name="help.agreed">{`${q.agreed.length} / ${rules.threshold}`}</Fact>}
              <Fact name="help.when">{q.readyAt ? when(Date.parse(q.readyAt), lang) : t("help.when.few")}</Fact>
              <Fact name="help.lapses">{when(Date.parse(q.lapsesAt), lang)}</Fact>
            </Facts>
            <div className="mt-4 grid gap-3">
              {q.agreed.includes(me) ? <p>{t("help.agree.done")}</p> : rules.guardians.includes(me) ? (
                <>
                  <p>{t("help.recover.about")}</p>
                  <button type="button" className={primary} disabled={deed.busy} onClick={() => void act(agreeRecovery({ account, key: q.key as Address, by: me }))}>{t("help.agree")}</button>
                </>
              ) : q.begunBy !== me && <p>{t("help.not")}</p>}
              {q.readyAt && <button type="button" className={primary} disabled={deed.busy} onClick={() => void act(finishRecovery({ account, key: q.key as Address, by: me }))}>{t("help.finish")}</button>}
              {q.begunBy === me && <button type="button" className={secondary} disabled={deed.busy} onClick={() => void act(objectRecovery({ account, key: q.key as Address, by: me }))}>{t("help.takeback")}</button>}
            </div>
            <p role="status" className="mt-2 min-h-6 text-soft">{deed.busy ? t("deed.working") : ""}</p>
          </>
        )}
      </Card>
    </>
  );
}

/** useAccount is an account as it is now, and again at each transaction that touches it. */
function useAccount(address: Address, wallet: Wallet): GetAccountResponse | undefined | "looking" {
  const [details, setDetails] = useState<GetAccountResponse | undefined | "looking">("looking");
  useEffect(() => {
    const stop = new AbortController();
    const read = () => void wallet.look(address).then((d) => stop.signal.aborted || setDetails(d), () => undefined);
    read();
    void wallet.watch(address, read, stop.signal).catch(() => undefined);
    return () => stop.abort();
  }, [address, wallet]);
  return details;
}
