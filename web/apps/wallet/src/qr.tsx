import qrcode from "qrcode-generator";

/** The light edge that readers need around a code, in modules (ISO/IEC 18004). */
const edge = 4;

/** modules is the QR code of a text as rows of dark modules. */
export function modules(text: string): boolean[][] {
  const code = qrcode(0, "M");
  code.addData(text);
  code.make();
  const n = code.getModuleCount();
  return Array.from({ length: n }, (_, row) => Array.from({ length: n }, (_, column) => code.isDark(row, column)));
}

/** A QR code, black on white in dark mode too, as readers want it. */
export function Qr({ text, label, large }: { text: string; label: string; large?: boolean }) {
  const rows = modules(text);
  const size = rows.length + 2 * edge;
  const path = rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x + edge} ${y + edge}h1v1h-1z`] : []))).join("");
  return (
    <svg role="img" aria-label={label} viewBox={`0 0 ${size} ${size}`} shapeRendering="crispEdges" className={`mx-auto block max-w-full rounded-lg ${large ? "w-full" : "w-64"}`}>
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
