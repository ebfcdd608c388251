import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'

const payment = z.object({
  orderId: z.string(),
  euros: z.number(),
  processId: z.string(),
  operationId: z.string(),
})

export type Payment = z.infer<typeof payment>

/** The world outside: what was paid stands in its book, whatever becomes of whoever asked for it. */
export interface Bank {
  /** Pays, and answers `answerAfterMs` later: time enough to die without having heard. */
  pay(payment: Payment, answerAfterMs: number): Promise<Payment>
  /** The payment that the operation has made, if it has. */
  find(operationId: string): Promise<Payment | undefined>
  payments(): Promise<readonly Payment[]>
}

export function createBank(path: string): Bank {
  async function payments(): Promise<Payment[]> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw error
    })
    return text
      .split('\n')
      .filter(line => line !== '')
      .map(line => payment.parse(JSON.parse(line)))
  }

  return {
    payments,
    find: async operationId => (await payments()).find(paid => paid.operationId === operationId),
    async pay(paid, answerAfterMs) {
      await mkdir(dirname(path), { recursive: true })
      // One write: whoever is killed has paid, or has not.
      await appendFile(path, `${JSON.stringify(paid)}\n`, { flush: true })
      await delay(answerAfterMs)
      return paid
    },
  }
}
