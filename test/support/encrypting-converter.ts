import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common'
import { temporal } from '@temporalio/proto'

const { Payload: PayloadMessage } = temporal.api.common.v1
export const ENCRYPTED = 'binary/encrypted'

/** AES-256-GCM over whole payloads, as teams do it whose server must not read what it keeps. */
class EncryptingCodec implements PayloadCodec {
  readonly #key = randomBytes(32)

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map(payload => {
      const iv = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', this.#key, iv)
      const plain = PayloadMessage.encode(payload).finish()
      const data = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
      return { metadata: { encoding: Buffer.from(ENCRYPTED) }, data }
    })
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map(payload => {
      // What another client wrote in plain is read as it is.
      if (Buffer.from(payload.metadata?.encoding ?? []).toString() !== ENCRYPTED) return payload
      const data = Buffer.from(payload.data ?? [])
      const decipher = createDecipheriv('aes-256-gcm', this.#key, data.subarray(0, 12))
      decipher.setAuthTag(data.subarray(-16))
      return PayloadMessage.decode(Buffer.concat([decipher.update(data.subarray(12, -16)), decipher.final()]))
    })
  }
}

/** A key of its own for each; messages of failures are encrypted as well. */
export const createEncryptingConverter = (): DataConverter => ({
  payloadCodecs: [new EncryptingCodec()],
  failureConverterPath: fileURLToPath(new URL('encoding-failure-converter.ts', import.meta.url)),
})
