/** Protocol-buffer messages, written part by part: nothing is copied before the whole is known, so that weights are copied once. */

export class Message {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  #push(part: Uint8Array): this {
    this.#parts.push(part);
    this.#length += part.length;
    return this;
  }
  /** Base 128, lowest digits first; negative numbers as 64-bit two's complement. */
  #varint(value: number | bigint): this {
    const digits: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) digits.push(Number(rest & 127n) | 128);
    digits.push(Number(rest));
    return this.#push(Uint8Array.from(digits));
  }
  #tag(field: number, wireType: 0 | 2 | 5): this {
    return this.#varint((field << 3) | wireType);
  }

  /** int32, int64, enum. */
  int(field: number, value: number | bigint): this {
    return this.#tag(field, 0).#varint(value);
  }
  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#tag(field, 5).#push(bytes);
  }
  bytes(field: number, value: Uint8Array): this {
    return this.#tag(field, 2).#varint(value.length).#push(value);
  }
  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }
  message(field: number, value: Message): this {
    this.#tag(field, 2).#varint(value.length);
    for (const part of value.#parts) this.#push(part);
    return this;
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }
}
