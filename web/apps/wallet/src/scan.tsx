import type jsQR from "jsqr";
import { useEffect, useRef } from "react";

import { useWords } from "./words.js";

/** Looks through the camera for a QR code, and says what is in the first one. Nothing of the picture leaves the page. */
export function Scan({ found, failed }: { found: (text: string) => void; failed: () => void }) {
  const { t } = useWords();
  const video = useRef<HTMLVideoElement>(null);
  const told = useRef({ found, failed });
  told.current = { found, failed };
  useEffect(() => {
    let stopped = false;
    let stream: MediaStream | undefined;
    let decode: typeof jsQR | undefined;
    const canvas = document.createElement("canvas");
    const look = () => {
      const v = video.current;
      if (stopped || !v) return;
      const pen = v.videoWidth > 0 ? canvas.getContext("2d", { willReadFrequently: true }) : null;
      if (pen) {
        canvas.width = v.videoWidth;
        canvas.height = v.videoHeight;
        pen.drawImage(v, 0, 0);
        const code = decode?.(pen.getImageData(0, 0, canvas.width, canvas.height).data, canvas.width, canvas.height);
        if (code?.data) {
          told.current.found(code.data);
          return;
        }
      }
      requestAnimationFrame(look);
    };
    const open = async () => {
      const { default: read } = await import("jsqr"); // only who scans loads it
      decode = read;
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      if (stopped || !video.current) return stop();
      video.current.srcObject = stream;
      await video.current.play();
      look();
    };
    const stop = () => {
      stopped = true;
      stream?.getTracks().forEach((track) => track.stop());
    };
    open().catch(() => {
      if (!stopped) told.current.failed();
    });
    return stop;
  }, []);
  return (
    <div className="mt-2">
      <video ref={video} muted playsInline aria-hidden="true" className="w-full rounded-lg bg-black" />
      <p role="status" className="mt-1 text-sm text-soft">{t("pay.scan.look")}</p>
    </div>
  );
}
