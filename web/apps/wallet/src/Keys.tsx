import { useState } from "react";

import { type Address, Refusal, type Rule, keyAddress, ruleOf, setRule, withoutKey } from "@dureledger/dure";

import { withKey } from "./authority.js";
import { Confirm, Trouble, useDeed } from "./deed.js";
import { noPasskey } from "./Start.js";
import type { TextKey } from "./texts.js";
import { Card, Notice, day, primary, secondary } from "./ui.js";
import type { Done, View } from "./view.js";
import type { Wallet } from "./wallet.js";
import { KeyNumber, shortKey } from "./who.js";
import { useWords } from "./words.js";

/** What the person is about to do. */
type Plan = { readonly add: Address; readonly raw: Uint8Array } | { readonly remove: Address };

/** The keys of the account: which there are, one more, one less. */
export function Keys({ view, wallet }: { view: View; wallet: Wallet }) {
  const { t } = useWords();
  const [plan, setPlan] = useState<Plan>();
  const [said, setSaid] = useState<TextKey>();
  const deed = useDeed();
  const rule = ruleOf(view.account!);
  const change = (how: () => Promise<Done>) =>
    deed.run(async () => {
      const { waits } = await how();
      setPlan(undefined);
      setSaid(waits ? "deed.proposed" : "deed.done");
    });
  const begin = (next: Plan) => {
    setSaid(undefined);
    setPlan(next);
  };
  if (plan && "add" in plan) {
    return (
      <>
        <Trouble deed={deed} />
        <Confirm title="keys.add.title" yes="keys.add.yes" no="deed.cancel" working="deed.working" deed={deed} act={() => void change(() => wallet.answer(plan.raw))} back={() => setPlan(undefined)}>
          <p className="mb-3 font-semibold">{t("kind.webauthn")} <KeyNumber address={plan.add} /></p>
          <p>{t(Math.max(rule.spend, rule.manage, rule.other) > 1 ? "keys.add.weight" : "keys.add.look")}</p>
        </Confirm>
      </>
    );
  }
  if (plan) {
    const left = withoutKey(rule, plan.remove);
    return (
      <>
        <Trouble deed={deed} />
        <Confirm title="keys.remove.title" yes="keys.remove.yes" no="deed.cancel" working="deed.working" deed={deed} act={() => left && void change(() => wallet.act([setRule(view.address!, left)], t("reason.keys")))} back={() => setPlan(undefined)}>
          <p className="mb-3 font-semibold"><KeyNumber address={plan.remove} /></p>
          <p>{t(plan.remove === view.key ? "keys.remove.here" : "keys.remove.look")}</p>
        </Confirm>
      </>
    );
  }
  return (
    <>
      <Trouble deed={deed} />
      <div role="status">{said && <p className="mb-4 rounded-lg bg-good-bg px-4 py-3 text-good">{t(said)}</p>}</div>
      <About rule={rule} />
      <ul className="mb-6 grid gap-3">
        {rule.keys.map(({ key, weight }) => <KeyRow key={key} address={key} weight={weight} rule={rule} view={view} remove={() => begin({ remove: key })} />)}
      </ul>
      <More view={view} wallet={wallet} add={begin} />
    </>
  );
}

/** What the keys may do, and what is wrong with having one. */
function About({ rule }: { rule: Rule }) {
  const { t } = useWords();
  if (rule.keys.length === 1) return <Notice kind="note">{t("keys.one")}</Notice>;
  const weights = rule.keys.map((k) => k.weight);
  const any = Math.min(...weights) >= Math.max(rule.spend, rule.manage, rule.other);
  return <p className="mb-4">{any ? t("keys.any") : t("keys.several", String(rule.spend), String(rule.manage))}</p>;
}

function KeyRow({ address, weight, rule, view, remove }: { address: Address; weight: number; rule: Rule; view: View; remove: () => void }) {
  const { t, lang } = useWords();
  const kind = view.account?.rule?.keys.find((k) => k.key === address)?.kind ?? view.account?.keyKind ?? "";
  const since = view.since.get(address);
  const goes = withoutKey(rule, address) !== undefined;
  return (
    <li className="rounded-xl border border-line bg-card p-4">
      <p className="flex flex-wrap items-baseline gap-x-2">
        <span className="font-semibold">{t(`kind.${kind}` as TextKey)}</span>
        <span className="font-mono text-sm text-soft">{shortKey(address)}</span>
        {address === view.key && <span className="rounded-full bg-good-bg px-2 text-sm font-semibold text-good">{t("keys.here")}</span>}
      </p>
      <p className="text-sm text-soft">
        {[since !== undefined && t("keys.since", day(since, lang)), view.account?.rule && rule.keys.some((k) => k.weight > 1) && t("keys.weight", String(weight))].filter(Boolean).join(" · ")}
      </p>
      {rule.keys.length > 1 && (goes
        ? <button type="button" className={`${secondary} mt-3`} aria-label={`${t("keys.remove")} ${shortKey(address)}`} onClick={remove}>{t("keys.remove")}</button>
        : <p className="mt-2 text-sm text-soft">{t("keys.remove.never")}</p>)}
    </li>
  );
}

/** Ways to another key: a passkey, another device, and for this device another passkey of the account. */
function More({ view, wallet, add }: { view: View; wallet: Wallet; add: (p: Plan) => void }) {
  const { t } = useWords();
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<TextKey>();
  const obstacle = noPasskey(view, t);
  const attempt = async (what: () => Promise<void>, declined: TextKey) => {
    setBusy(true);
    setTrouble(undefined);
    try {
      await what();
    } catch (err) {
      setTrouble(err instanceof DOMException && err.name === "InvalidStateError" ? "keys.add.same" : err instanceof Refusal && err.code === "key.unsupported" ? "start.passkey.device" : declined);
    } finally {
      setBusy(false);
    }
  };
  // The new key signs first that it wants to be in the rule; then comes the last look.
  const make = async () => {
    const signer = await wallet.another(t("wallet"));
    const key = keyAddress(signer.key);
    add({ add: key, raw: await wallet.offer(setRule(view.address!, withKey(ruleOf(view.account!), key)), t("reason.keys"), signer) });
  };
  const find = async () => {
    if (!(await wallet.find(view.address))) setTrouble("keys.switch.none");
  };
  return (
    <>
      {trouble && <Notice kind="bad">{t(trouble)}</Notice>}
      <Card>
        <p className="mb-3">{t("keys.add.about")}</p>
        <button type="button" className={primary} disabled={busy || !!obstacle} onClick={() => void attempt(make, "keys.add.declined")}>{t("keys.add")}</button>
        {obstacle && <p className="mt-3 text-sm text-note">{obstacle}</p>}
      </Card>
      <Card>
        <p className="mb-3">{t("keys.other.about")}</p>
        <a className={secondary} href="#help">{t("keys.other")}</a>
      </Card>
      <Card>
        <p className="mb-3">{t("keys.switch.about")}</p>
        <button type="button" className={secondary} disabled={busy || !!obstacle} onClick={() => void attempt(find, "start.found.failed")}>{t("keys.switch")}</button>
      </Card>
    </>
  );
}
