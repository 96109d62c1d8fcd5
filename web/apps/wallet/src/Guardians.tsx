import { type FormEvent, useState } from "react";

import { type Address, setRecovery } from "@dureledger/dure";

import { day, tidyAddress, waitingTimes } from "./authority.js";
import { Confirm, Trouble, useDeed } from "./deed.js";
import { Choice, Field, ScanButton } from "./field.js";
import type { TextKey } from "./texts.js";
import { Card, Fact, Facts, Notice, primary, secondary, when } from "./ui.js";
import type { View } from "./view.js";
import type { Wallet } from "./wallet.js";
import { Who, memberName, span } from "./who.js";
import { useWords } from "./words.js";

/** Rules of recovery, as the page has them. */
interface Rules {
  readonly guardians: readonly string[];
  readonly threshold: number;
  readonly waitMs: number;
  readonly sponsor: boolean;
}

/** The ledger's limit. */
const maxGuardians = 16;

/** Who may bring a new key to the account when its own are lost: who it is now, and changing that. */
export function Guardians({ view, wallet }: { view: View; wallet: Wallet }) {
  const { t, lang } = useWords();
  const [draft, setDraft] = useState<Rules>();
  const [sure, setSure] = useState(false);
  const [said, setSaid] = useState<TextKey>();
  const deed = useDeed();
  const now = rulesOf(view.recovery?.rules);
  const next = view.recovery?.nextAt ? rulesOf(view.recovery.next) : undefined;
  const set = (rules: Rules) =>
    deed.run(async () => {
      const actions = [setRecovery(view.address!, { ...rules, guardians: rules.guardians as Address[], waitMs: BigInt(rules.waitMs) })];
      const { waits } = await wallet.act(actions, t("reason.guardians"));
      setDraft(undefined);
      setSure(false);
      setSaid(waits ? "deed.proposed" : "deed.done");
    });
  return (
    <>
      <Trouble deed={deed} />
      <div role="status">{said && <p className="mb-4 rounded-lg bg-good-bg px-4 py-3 text-good">{t(said)}</p>}</div>
      {draft && sure ? (
        <Confirm title="guardians.look" yes="guardians.change" no="pay.change" working="deed.working" deed={deed} act={() => void set(draft)} back={() => setSure(false)}>
          <Shown rules={draft} view={view} />
          {draft.guardians.length === 0 && !draft.sponsor && <p className="mt-3 text-bad">{t("guardians.nobody")}</p>}
          <p className="mt-3 text-sm text-soft">{t("guardians.later", span(now.waitMs, t))}</p>
        </Confirm>
      ) : draft ? (
        <RulesForm rules={draft} view={view} wallet={wallet} put={setDraft} done={() => setSure(true)} cancel={() => setDraft(undefined)} />
      ) : (
        <>
          <p className="mb-4">{t("guardians.about")}</p>
          <Card><Shown rules={now} view={view} /></Card>
          {next && (
            <Card>
              <h2 className="mb-3 text-lg font-semibold">{t("guardians.next", when(Date.parse(view.recovery!.nextAt), lang))}</h2>
              <Shown rules={next} view={view} />
            </Card>
          )}
          {now.guardians.length === 0 && !now.sponsor && !next && <Notice kind="bad">{t("guardians.nobody")}</Notice>}
          <button type="button" className={primary} onClick={() => { setSaid(undefined); setDraft(next ?? now); }}>{t("guardians.change")}</button>
        </>
      )}
    </>
  );
}

function rulesOf(r: NonNullable<View["recovery"]>["rules"]): Rules {
  return { guardians: r?.guardians ?? [], threshold: r?.threshold ?? 0, waitMs: Number(r?.waitMs ?? 3 * day), sponsor: r?.sponsor ?? false };
}

function Shown({ rules, view }: { rules: Rules; view: View }) {
  const { t } = useWords();
  const sponsor = memberName(view.account?.sponsor ?? "", view);
  return (
    <Facts>
      <Fact name="guardians.who">
        {rules.guardians.length === 0 ? t("guardians.none") : (
          <ul className="grid gap-1">{rules.guardians.map((g) => <li key={g}><Who address={g} view={view} /></li>)}</ul>
        )}
      </Fact>
      {rules.guardians.length > 0 && <Fact name="guardians.many">{t("guardians.of", String(rules.guardians.length), String(rules.threshold))}</Fact>}
      <div>
        <dt className="text-sm text-soft">{t("guardians.sponsor", sponsor)}</dt>
        <dd>{t(rules.sponsor ? "guardians.sponsor.yes" : "guardians.sponsor.no")}</dd>
      </div>
      <Fact name="guardians.wait">{span(rules.waitMs, t)}</Fact>
    </Facts>
  );
}

function RulesForm({ rules, view, wallet, put, done, cancel }: { rules: Rules; view: View; wallet: Wallet; put: (r: Rules) => void; done: () => void; cancel: () => void }) {
  const { t } = useWords();
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState<TextKey>();
  const few = Math.max(1, Math.min(rules.threshold, rules.guardians.length));
  const withGuardians = (guardians: readonly string[]) => put({ ...rules, guardians, threshold: guardians.length === 0 ? 0 : Math.max(1, Math.min(rules.threshold || guardians.length, guardians.length)) });
  const add = async (e: FormEvent) => {
    e.preventDefault();
    const address = tidyAddress(text);
    const bad = await whatIsWrong(address, rules, view, wallet);
    setWrong(bad);
    if (bad || !address) {
      document.getElementById("guardian")?.focus();
      return;
    }
    withGuardians([...rules.guardians, address]);
    setText("");
  };
  const times = [...new Set([...waitingTimes, rules.waitMs])].sort((a, b) => a - b);
  return (
    <>
      {rules.guardians.length > 0 && (
        <ul className="mb-4 grid gap-3" aria-label={t("guardians.who")}>
          {rules.guardians.map((g) => (
            <li key={g} className="flex items-center gap-3 rounded-xl border border-line bg-card p-3">
              <span className="min-w-0 flex-1"><Who address={g} view={view} /></span>
              <button type="button" className="min-h-11 px-2 underline underline-offset-4" aria-label={t("guardians.drop", memberName(g, view))} onClick={() => withGuardians(rules.guardians.filter((one) => one !== g))}>{t("keys.remove")}</button>
            </li>
          ))}
        </ul>
      )}
      <form onSubmit={(e) => void add(e)} noValidate>
        <Field id="guardian" label="guardians.add" value={text} put={(v) => { setText(v); setWrong(undefined); }} wrong={wrong && t(wrong)} mono />
        <ScanButton found={setText} />
        <button className={`${secondary} mb-6`}>{t("guardians.add.yes")}</button>
      </form>
      {rules.guardians.length > 0 && (
        <Choice id="many" label="guardians.many" value={String(few)} put={(v) => put({ ...rules, threshold: Number(v) })} options={rules.guardians.map((_, i) => ({ value: String(i + 1), text: t("guardians.people", String(i + 1)) }))} />
      )}
      <Choice id="wait" label="guardians.wait" value={String(rules.waitMs)} put={(v) => put({ ...rules, waitMs: Number(v) })} options={times.map((ms) => ({ value: String(ms), text: span(ms, t) }))} />
      <label className="mb-4 flex min-h-11 items-center gap-3">
        <input type="checkbox" className="size-5" checked={rules.sponsor} onChange={(e) => put({ ...rules, sponsor: e.target.checked })} />
        <span>{t("guardians.sponsor.let", memberName(view.account?.sponsor ?? "", view))}</span>
      </label>
      <div className="grid gap-3">
        <button type="button" className={primary} onClick={done}>{t("pay.check")}</button>
        <button type="button" className={secondary} onClick={cancel}>{t("deed.cancel")}</button>
      </div>
    </>
  );
}

/** whatIsWrong says why an address cannot be a guardian's. */
async function whatIsWrong(address: Address | undefined, rules: Rules, view: View, wallet: Wallet): Promise<TextKey | undefined> {
  if (!address) return "pay.bad.address";
  if (address === view.address) return "pay.bad.self";
  if (rules.guardians.includes(address)) return "guardians.twice";
  if (rules.guardians.length >= maxGuardians) return "guardians.most";
  return (await wallet.has(address).catch(() => true)) ? undefined : "pay.bad.unknown";
}
