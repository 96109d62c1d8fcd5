import type { Bytes } from "../bytes.js";
import { own } from "../bytes.js";
import { Refusal } from "../refusal.js";

/** malformed is the refusal of a file that is damaged. */
export const malformed = (what: string) => new Refusal("proof.malformed", `the file is damaged or not complete: ${what}`);

const most63 = (1n << 63n) - 1n;

/** Takes fields of a fixed layout off the front; integers are big-endian. What is cut short or out of range is refused with proof.malformed. */
export class Reader {
  private at = 0;
  private readonly view: DataView;

  /** Wide: evidence is in its second layout, in which the length of each key and signature stands before it. */
  constructor(private readonly b: Uint8Array, readonly wide = false) {
    this.view = new DataView(b.buffer, b.byteOffset, b.byteLength);
  }

  private skip(n: number, what: string): number {
    if (n > this.b.length - this.at) throw malformed(`${what} is cut short`);
    this.at += n;
    return this.at - n;
  }

  take(n: number, what: string): Bytes {
    const from = this.skip(n, what);
    return own(this.b.subarray(from, from + n));
  }

  u8(what: string): number {
    return this.view.getUint8(this.skip(1, what));
  }

  u16(what: string): number {
    return this.view.getUint16(this.skip(2, what));
  }

  u32(what: string): number {
    return this.view.getUint32(this.skip(4, what));
  }

  u64(what: string): bigint {
    return this.view.getBigUint64(this.skip(8, what));
  }

  /** A u64 below 2^63: heights, times and powers are signed where they are hashed. */
  u63(what: string): bigint {
    const v = this.u64(what);
    if (v > most63) throw malformed(`${what} is out of range`);
    return v;
  }

  hash(what: string): Bytes {
    return this.take(32, what);
  }

  /** A u32 length and so many bytes. */
  bytes(what: string): Bytes {
    return this.take(this.u32(what), what);
  }

  /** A key or signature: of the first size, or in the second layout of either. */
  sized(sizes: readonly [number, number], what: string): Bytes {
    const n = this.wide ? this.u16(what) : sizes[0];
    if (!sizes.includes(n)) throw malformed(`${what} has a length that none has`);
    return this.take(n, what);
  }

  end(): void {
    if (this.at < this.b.length) throw malformed("there are bytes after its end");
  }
}
