import type { SqlValue } from '../statement.ts'

const BIND = 0x42
const EXECUTE = 0x45
const SYNC = 0x53
const TEXT = 0
const BINARY = 1
const NULL_LENGTH = -1

/** Kept between messages. What a larger one needed is given back. */
const USUAL_BYTES = 65_536
/** Of one UTF-16 unit in UTF-8, at most. */
const MOST_BYTES = 3

/**
 * What is asked of statements that the server knows, as the bytes of one write: a write for each part is what most of
 * asking would cost. See "Message Formats" in PostgreSQL's manual.
 */
export class Message {
  #bytes = Buffer.allocUnsafe(USUAL_BYTES)
  #length = 0

  /** Its values, as texts and bytes, in the unnamed portal; the rows come as texts. */
  bind(statement: string, values: readonly SqlValue[]): void {
    const start = this.#begin(BIND)
    this.#cString('')
    this.#cString(statement)
    this.#formats(values)
    this.#int16(values.length)
    for (const value of values) this.#value(value)
    this.#int16(0)
    this.#end(start)
  }

  /** All rows. */
  execute(): void {
    const start = this.#begin(EXECUTE)
    this.#cString('')
    this.#int32(0)
    this.#end(start)
  }

  sync(): void {
    this.#end(this.#begin(SYNC))
  }

  /** What was written since the last time, as bytes of its own; `undefined`: nothing. */
  take(): Buffer | undefined {
    if (this.#length === 0) return undefined
    const taken = Buffer.from(this.#bytes.subarray(0, this.#length))
    this.#length = 0
    if (this.#bytes.length > USUAL_BYTES) this.#bytes = Buffer.allocUnsafe(USUAL_BYTES)
    return taken
  }

  clear(): void {
    this.#length = 0
  }

  /** Leaves room for the length, which counts itself and not the type. */
  #begin(type: number): number {
    this.#reserve(5)
    this.#bytes[this.#length] = type
    const start = this.#length + 1
    this.#length += 5
    return start
  }

  #end(start: number): void {
    this.#bytes.writeInt32BE(this.#length - start, start)
  }

  /** None: all are texts. */
  #formats(values: readonly SqlValue[]): void {
    const formats = values.some(isBytes) ? values.map(value => (isBytes(value) ? BINARY : TEXT)) : []
    this.#int16(formats.length)
    for (const format of formats) this.#int16(format)
  }

  #value(value: SqlValue): void {
    const start = this.#length
    this.#int32(NULL_LENGTH)
    if (value === null) return
    if (isBytes(value)) this.#raw(value)
    else this.#text(typeof value === 'string' ? value : String(value))
    this.#bytes.writeInt32BE(this.#length - start - 4, start)
  }

  #cString(text: string): void {
    this.#text(text)
    this.#reserve(1)
    this.#bytes[this.#length++] = 0
  }

  #text(text: string): void {
    this.#reserve(text.length * MOST_BYTES)
    this.#length += this.#bytes.write(text, this.#length)
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.byteLength
  }

  #int16(value: number): void {
    this.#reserve(2)
    this.#length = this.#bytes.writeInt16BE(value, this.#length)
  }

  #int32(value: number): void {
    this.#reserve(4)
    this.#length = this.#bytes.writeInt32BE(value, this.#length)
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}

const isBytes = (value: SqlValue): value is Uint8Array => value instanceof Uint8Array
