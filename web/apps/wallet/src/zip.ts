/** The CRC-32 of ISO 3309, as ZIP files have it. */
function crc32(b: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of b) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** zip packs files into a ZIP archive (APPNOTE 6.3.10), not compressed: receipts are digests and signatures. Names are ASCII. */
export function zip(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Blob {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (const [name, content] of files) {
    const encoded = new TextEncoder().encode(name);
    // From "version needed" to "extra field length"; the time is 1 January 1980, the first there is.
    const common = fields([2, 10], [2, 0], [2, 0], [2, 0], [2, 0x21], [4, crc32(content)], [4, content.length], [4, content.length], [2, encoded.length], [2, 0]);
    parts.push(fields([4, 0x04034b50]), common, encoded, content);
    directory.push(fields([4, 0x02014b50], [2, 10]), common, fields([2, 0], [2, 0], [2, 0], [4, 0], [4, at]), encoded);
    at += 4 + common.length + encoded.length + content.length;
  }
  const size = directory.reduce((n, p) => n + p.length, 0);
  const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, files.size], [2, files.size], [4, size], [4, at], [2, 0]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

/** fields writes numbers, little-endian, each in so many bytes. */
function fields(...list: readonly (readonly [bytes: number, value: number])[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(list.flatMap(([bytes, value]) => Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 0xff)));
}
