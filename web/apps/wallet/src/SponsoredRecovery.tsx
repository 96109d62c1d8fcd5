import { useMemo, useState } from "react";

import { Client, Refusal, check, countersign, passkeySigner } from "@dureledger/dure";

import { readSponsored } from "./sponsored.js";
import { sayRefusal } from "./texts.js";
import { Card, Fact, Facts, Notice, primary } from "./ui.js";
import type { View } from "./view.js";
import { useWords } from "./words.js";

/** Where a person who has lost every key comes from their sponsor's provider: their new passkey signs the recovery that the sponsor has signed. */
export function SponsoredRecovery({ view, place }: { view: View; place: string }) {
  const { t, lang } = useWords();
  const what = useMemo(() => readSponsored(place, Date.now()), [place]);
  const [state, setState] = useState<"asks" | "busy" | "done">("asks");
  const [trouble, setTrouble] = useState("");
  if (!what) return <Notice kind="bad">{t("sponsored.bad")}</Notice>;
  if (!view.origins.includes(location.origin)) return <Notice kind="bad">{t("start.passkey.elsewhere", view.origins.map((o) => `${o}/wallet/`).join(", "))}</Notice>;
  if (state === "done") return <Notice kind="good">{t("sponsored.done")}</Notice>;
  const sign = async () => {
    setState("busy");
    setTrouble("");
    try {
      const signer = passkeySigner({ rpId: view.rpId, credentialId: what.credentialId, key: what.key });
      check(await new Client({ nodes: [location.origin], network: view.network }).submit(await countersign(view.network, what.raw, [signer])));
      setState("done");
    } catch (err) {
      setState("asks");
      setTrouble(err instanceof Refusal ? sayRefusal(lang, err.code, err.message) : t("sponsored.failed"));
    }
  };
  const member = view.members.find((m) => m.address === what.sponsor);
  return (
    <>
      <p className="mb-4">{t("sponsored.lead")}</p>
      {trouble && <Notice kind="bad">{trouble}</Notice>}
      <Card>
        <Facts>
          <Fact name="sponsored.account"><span className="break-all font-mono">{what.account}</span></Fact>
          <Fact name="sponsored.sponsor">{member?.name ?? <span className="break-all font-mono">{what.sponsor}</span>}</Fact>
        </Facts>
      </Card>
      <button type="button" className={primary} disabled={state === "busy"} onClick={() => void sign()}>{t("sponsored.sign")}</button>
    </>
  );
}
