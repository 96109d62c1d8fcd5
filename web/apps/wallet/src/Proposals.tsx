import { useState } from "react";

import { type AccountProposal, type Action, type Address, approve, execute, withdraw } from "@dureledger/dure";

import { Confirm, Trouble, useDeed } from "./deed.js";
import type { TextKey } from "./texts.js";
import { Fact, Facts, amount, primary, secondary, when } from "./ui.js";
import type { View } from "./view.js";
import type { Wallet } from "./wallet.js";
import { memberName, shortKey } from "./who.js";
import { type WordsValue, useWords } from "./words.js";

/** What waits for keys of the account to approve. */
export function Proposals({ view, wallet }: { view: View; wallet: Wallet }) {
  const { t } = useWords();
  const [approving, setApproving] = useState<bigint>();
  const [said, setSaid] = useState<TextKey>();
  const deed = useDeed();
  const me = view.address!;
  const act = (action: Action) =>
    deed.run(async () => {
      setSaid(undefined);
      await wallet.act([action], "");
      setApproving(undefined);
      setSaid("deed.done");
    });
  const looked = view.proposals.find((p) => p.number === approving);
  if (looked) {
    return (
      <>
        <Trouble deed={deed} />
        <Confirm title="proposal.approve.look" yes="proposal.approve" no="deed.cancel" working="deed.working" deed={deed} act={() => void act(approve(me, looked.number))} back={() => setApproving(undefined)}>
          <What proposal={looked} view={view} />
        </Confirm>
      </>
    );
  }
  return (
    <>
      <Trouble deed={deed} />
      <div role="status">{said && <p className="mb-4 rounded-lg bg-good-bg px-4 py-3 text-good">{t(said)}</p>}</div>
      {view.proposals.length === 0 && <p>{t("proposals.none")}</p>}
      <ul className="grid gap-4">
        {view.proposals.map((p) => {
          const mine = p.approvals.includes(view.key ?? "");
          return (
            <li key={String(p.number)} className="rounded-xl border border-line bg-card p-4">
              <What proposal={p} view={view} />
              <div className="mt-4 grid gap-3">
                {p.state === "expired" ? <p>{t("proposal.expired")}</p> : mine ? <p>{t("proposal.mine")}</p> : (
                  <button type="button" className={primary} disabled={deed.busy} onClick={() => { setSaid(undefined); setApproving(p.number); }}>{t("proposal.approve")}</button>
                )}
                {p.state === "approved" && <button type="button" className={primary} disabled={deed.busy} onClick={() => void act(execute(me, p.number))}>{t("proposal.execute")}</button>}
                {(mine || p.state === "expired") && (
                  <button type="button" className={secondary} disabled={deed.busy} onClick={() => void act(withdraw(me, p.number))}>{t(p.proposer === view.key || p.state === "expired" ? "proposal.end" : "proposal.withdraw")}</button>
                )}
              </div>
            </li>
          );
        })}
      </ul>
      <p role="status" className="mt-2 min-h-6 text-soft">{deed.busy ? t("deed.working") : ""}</p>
    </>
  );
}

/** What a proposal does, in words, and how far it is. */
function What({ proposal: p, view }: { proposal: AccountProposal; view: View }) {
  const { t, lang } = useWords();
  return (
    <>
      <ul className="mb-3 grid gap-2 text-lg font-semibold">{p.actions.map((a, i) => <li key={i} className="min-w-0">{inWords(a, view, t)}</li>)}</ul>
      <Facts>
        {p.reason && <Fact name="proposal.reason">{p.reason}</Fact>}
        <Fact name="proposal.approved">{t("proposal.weight", String(p.weight), String(p.needed))}</Fact>
        {p.waitsUntil && <Fact name="proposal.waits">{when(Date.parse(p.waitsUntil), lang)}</Fact>}
        <Fact name="proposal.until">{when(Date.parse(p.expiresAt), lang)}</Fact>
      </Facts>
    </>
  );
}

/** inWords says what an action does; of one without words of its own, everything that it says. */
function inWords(a: AccountProposal["actions"][number], view: View, t: WordsValue["t"]): string {
  const args = (a.arguments ?? {}) as Record<string, unknown>;
  switch (a.call) {
    case "asset.transfer":
      return [t("does.pay", amount(String(args["amount"]), String(args["asset"]), view.assets), memberName(String(args["to"]), view)), args["memo"]].filter(Boolean).join(" · ");
    case "account.set_rule": {
      const keys = ((args["rule"] as { keys?: { key: string }[] } | undefined)?.keys ?? []).map((k) => shortKey(k.key as Address));
      return t("does.keys", String(keys.length), keys.join(", "));
    }
    case "account.set_recovery":
      return t("does.recovery");
    case "account.object_recovery":
      return t("does.object");
    case "account.unlock":
      return t("does.unlock");
  }
  return t("does.other", a.call, JSON.stringify(args));
}
