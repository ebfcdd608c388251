import { createHash } from 'node:crypto'

/** Chance that is the same at every attempt: the n-th draw depends on the seed and n alone. */
export class SeededRandom {
  readonly #seed: string
  #draws = 0

  constructor(seed: string) {
    this.#seed = seed
  }

  /** In [0, 1), with 48 bits. */
  random(): number {
    return this.#bytes().readUIntBE(0, 6) / 2 ** 48
  }

  /** Version 4, RFC 9562. */
  uuid(): string {
    const bytes = this.#bytes().subarray(0, 16)
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
    const hex = bytes.toString('hex')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  }

  #bytes(): Buffer {
    return createHash('sha256')
      .update(`${this.#seed}\u0000${++this.#draws}`)
      .digest()
  }
}
