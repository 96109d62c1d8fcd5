import { formatUnits } from "@dureledger/dure";

import type { Payment } from "./payment.js";
import { toApprove } from "./authority.js";
import { RunningRecovery } from "./Recovery.js";
import { Card, Notice, Tick, amount, primary, secondary, when } from "./ui.js";
import type { View } from "./view.js";
import type { Wallet } from "./wallet.js";
import { useWords } from "./words.js";

/** Balances by asset, and the payments. */
export function Home({ view, wallet }: { view: View; wallet: Wallet }) {
  const { t } = useWords();
  const waiting = toApprove(view.proposals, view.key).length;
  return (
    <>
      {view.account?.frozen && <Notice kind="bad">{t("frozen", view.account.freezeReason)}</Notice>}
      {view.account?.lockedAt && <Notice kind="bad">{t("locked", view.account.lockReason)}</Notice>}
      <RunningRecovery view={view} wallet={wallet} />
      {view.proposals.length > 0 && (
        <a href="#proposals" className={`mb-4 block rounded-lg px-4 py-3 font-semibold underline underline-offset-4 ${waiting > 0 ? "bg-note-bg text-note" : "bg-card"}`}>
          {waiting > 0 ? t("proposals.wait", String(waiting)) : t("proposals")}
        </a>
      )}
      <div role="status">
        {view.arrived && <p className="mb-4 rounded-lg bg-good-bg px-4 py-3 font-semibold text-good">{t("arrived", amount(view.arrived.amount, view.arrived.asset, view.assets))}</p>}
      </div>
      <section aria-labelledby="balance">
        <h2 id="balance" className="mb-2 text-sm text-soft">{t("balance")}</h2>
        <Card>
          {view.balances.length === 0 && <p>{t("balance.none")}</p>}
          <ul className="grid gap-2">
            {view.balances.map((b) => (
              <li key={b.asset}>
                <span className="text-sm text-soft">{view.assets.get(b.asset)?.name ?? b.asset}</span>
                <span className="block text-3xl font-bold tabular-nums">
                  {formatUnits(b.amount, b.decimals)} <span className="text-base font-normal text-soft">{b.asset}</span>
                </span>
                {b.held !== "" && b.held !== "0" && <span className="text-sm text-soft">{t("balance.held", formatUnits(b.held, b.decimals))}</span>}
              </li>
            ))}
          </ul>
        </Card>
      </section>
      <nav className="mb-6 grid grid-cols-2 gap-3">
        <a className={primary} href="#pay">{t("pay")}</a>
        <a className={secondary} href="#receive">{t("receive")}</a>
      </nav>
      {!view.account?.rule && view.origins.includes(location.origin) && (
        <a href="#keys" className="mb-6 block rounded-lg bg-note-bg px-4 py-3 text-note underline underline-offset-4">{t("keys.nudge")}</a>
      )}
      <section aria-labelledby="payments">
        <h2 id="payments" className="mb-2 text-lg font-semibold">{t("payments")}</h2>
        {view.payments.length === 0 ? <p className="text-soft">{t("payments.none")}</p> : (
          <ul className="mb-4 overflow-hidden rounded-xl border border-line bg-card">
            {view.payments.map((p, i) => <Row key={`${p.id} ${i}`} payment={p} view={view} />)}
          </ul>
        )}
      </section>
      <a href="#credentials" className="mr-6 inline-block min-h-11 py-2 underline underline-offset-4">{t("credentials")}</a>
      <a href="#settings" className="inline-block min-h-11 py-2 underline underline-offset-4">{t("settings")}</a>
    </>
  );
}

function Row({ payment: p, view }: { payment: Payment; view: View }) {
  const { t, lang } = useWords();
  return (
    <li className="border-t border-line first:border-t-0">
      <a href={`#payment/${p.id}`} className="block px-4 py-3">
        <span className="flex items-baseline justify-between gap-3">
          <span className="font-semibold">{p.refused ? t("failed") : p.incoming ? t("in") : t("out")}</span>
          <span className={`whitespace-nowrap font-semibold tabular-nums ${p.refused ? "text-soft line-through" : p.incoming ? "text-good" : ""}`}>
            {p.incoming ? "+" : "−"}{amount(p.amount, p.asset, view.assets)}
          </span>
        </span>
        <span className="mt-1 flex items-baseline justify-between gap-3 text-sm text-soft">
          <span className="min-w-0 truncate">{p.memo || <Other payment={p} view={view} short />}</span>
          <Tick proof={view.proofs.get(p.id)} />
        </span>
        <span className="block text-sm text-soft">{when(p.time, lang)}</span>
      </a>
    </li>
  );
}

/** Who paid or was paid: members by their names. */
export function Other({ payment: p, view, short }: { payment: Payment; view: View; short?: boolean }) {
  const { t } = useWords();
  if (p.other === "") return <>{p.incoming ? t("issued") : t("redeemed")}</>;
  const member = view.members.find((m) => m.address === p.other);
  if (member) return <>{member.name}{!short && <span className="block break-all font-mono text-sm">{p.other}</span>}</>;
  return <span className="break-all font-mono">{short ? `${p.other.slice(0, 6)}…${p.other.slice(-4)}` : p.other}</span>;
}
