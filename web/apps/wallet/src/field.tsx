import { type InputHTMLAttributes, useState } from "react";

import { Scan } from "./scan.js";
import type { TextKey } from "./texts.js";
import { secondary } from "./ui.js";
import { useWords } from "./words.js";

const box = "min-h-12 w-full rounded-lg border border-edge bg-card px-3 text-base";

/** A field with its label, and what is wrong with what is in it. */
export function Field(p: { id: string; label: TextKey; value: string; put: (value: string) => void; wrong: string | undefined; mono?: boolean; more?: InputHTMLAttributes<HTMLInputElement> }) {
  const { t } = useWords();
  return (
    <div className="mb-4">
      <label htmlFor={p.id} className="mb-1 block font-semibold">{t(p.label)}</label>
      <input
        id={p.id} value={p.value} onChange={(e) => p.put(e.target.value)} autoComplete="off" spellCheck={false}
        aria-invalid={p.wrong !== undefined} aria-describedby={p.wrong === undefined ? undefined : `${p.id}-wrong`}
        className={p.mono ? `${box} font-mono` : box} {...p.more}
      />
      {p.wrong !== undefined && <p id={`${p.id}-wrong`} role="alert" className="mt-1 text-bad">{p.wrong}</p>}
    </div>
  );
}

/** A choice from a list. */
export function Choice(p: { id: string; label: TextKey; value: string; put: (value: string) => void; options: readonly { value: string; text: string }[] }) {
  const { t } = useWords();
  return (
    <div className="mb-4">
      <label htmlFor={p.id} className="mb-1 block font-semibold">{t(p.label)}</label>
      <select id={p.id} value={p.value} onChange={(e) => p.put(e.target.value)} className={box}>
        {p.options.map((o) => <option key={o.value} value={o.value}>{o.text}</option>)}
      </select>
    </div>
  );
}

/** A button that opens the camera for a QR code, and closes it when one was read. */
export function ScanButton({ found }: { found: (text: string) => void }) {
  const { t } = useWords();
  const [scanning, setScanning] = useState(false);
  const [noCamera, setNoCamera] = useState(false);
  return (
    <div className="mb-4">
      <button type="button" className={secondary} aria-expanded={scanning} onClick={() => { setNoCamera(false); setScanning(!scanning); }}>
        {t(scanning ? "pay.scan.stop" : "pay.scan")}
      </button>
      {scanning && <Scan found={(text) => { setScanning(false); found(text.trim()); }} failed={() => { setScanning(false); setNoCamera(true); }} />}
      {noCamera && <p role="alert" className="mt-1 text-bad">{t("pay.scan.none")}</p>}
    </div>
  );
}
