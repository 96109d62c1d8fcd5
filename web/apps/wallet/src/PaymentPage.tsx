import type { Verified } from "@dureledger/dure";

import { Other } from "./Home.js";
import { sayRefusal } from "./texts.js";
import { Card, Fact, Facts, Notice, amount, save, secondary, when } from "./ui.js";
import type { Proof, View } from "./view.js";
import type { Wallet } from "./wallet.js";
import { useWords } from "./words.js";

/** One transaction's payments, and what its receipt rests on. */
export function PaymentPage({ view, wallet, id }: { view: View; wallet: Wallet; id: string }) {
  const { t, lang } = useWords();
  const payments = view.payments.filter((p) => p.id === id);
  if (payments.length === 0) return <p>{t("payment.unknown")}</p>;
  return (
    <>
      {payments.map((p, i) => (
        <Card key={i}>
          <p className="text-soft">{p.refused ? t("failed") : p.incoming ? t("in") : t("out")}</p>
          <p className="mb-3 text-3xl font-bold tabular-nums">{amount(p.amount, p.asset, view.assets)}</p>
          <Facts>
            {p.refused && <Fact name="payment.why">{sayRefusal(lang, p.refused.code, p.refused.message)}</Fact>}
            <Fact name="payment.other"><Other payment={p} view={view} /></Fact>
            <Fact name="payment.time">{when(p.time, lang)}</Fact>
            {p.memo && <Fact name="payment.memo">{p.memo}</Fact>}
            <Fact name="payment.id"><span className="break-all font-mono text-sm">{id}</span></Fact>
          </Facts>
        </Card>
      ))}
      <section aria-labelledby="receipt">
        <h2 id="receipt" className="mb-2 text-lg font-semibold">{t("receipt")}</h2>
        <ReceiptPart proof={view.proofs.get(id)} view={view} wallet={wallet} id={id} />
      </section>
    </>
  );
}

function ReceiptPart({ proof, view, wallet, id }: { proof: Proof | undefined; view: View; wallet: Wallet; id: string }) {
  const { t } = useWords();
  switch (proof?.state) {
    case "good":
      return (
        <>
          <Notice kind="good">
            <p className="text-lg font-bold"><span aria-hidden="true">✓ </span>{t("receipt.good")}</p>
            <p>{t("receipt.good.about")}</p>
          </Notice>
          <Card><Rests verified={proof.verified} view={view} /></Card>
          <button type="button" className={secondary} onClick={() => save(`${id.slice(0, 16)}.dure`, new Blob([proof.file]))}>{t("receipt.save")}</button>
          <p className="mt-2 text-sm text-soft">{t("receipt.offline")}</p>
        </>
      );
    case "bad":
      return (
        <Notice kind="bad">
          <p className="text-lg font-bold"><span aria-hidden="true">✕ </span>{t("receipt.bad")}</p>
          <p>{proof.code === "differs" ? t("receipt.differs") : `${proof.message} (${proof.code})`}</p>
          <p>{t("receipt.bad.about")}</p>
        </Notice>
      );
    case "none":
      return (
        <Notice kind="note">
          <p className="mb-2">{t("tick.none")}</p>
          <button type="button" className={secondary} onClick={() => void wallet.prove(id)}>{t("retry")}</button>
        </Notice>
      );
  }
  return <p role="status">{t("tick.checking")}…</p>;
}

/** What a receipt that holds rests on. */
function Rests({ verified: v, view }: { verified: Verified; view: View }) {
  const { t, lang } = useWords();
  return (
    <Facts>
      <Fact name="receipt.rests">{t("receipt.rests.genesis", String(v.basis.validators))}</Fact>
      <Fact name="receipt.network">
        <span className="break-all font-mono text-sm">{v.network}</span>
        {view.pin && <span className="block text-sm text-soft">{t("receipt.seen", when(view.pin.seen, lang))}</span>}
      </Fact>
      <Fact name="receipt.changes">{v.changes}</Fact>
      <Fact name="receipt.signed">
        {t("receipt.signed.by", String(v.validators), String(v.signatures))} · {t("receipt.power", String(v.power), String(v.totalPower))}
      </Fact>
      <Fact name="receipt.block">{String(v.outcome.height)} · {when(v.executed.getTime(), lang)}</Fact>
    </Facts>
  );
}
