import { setTimeout as delay } from 'node:timers/promises'

/** The first answer that is none of `undefined` and `false`; asked again and again, each 20 ms. */
export async function until<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  while (true) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    await delay(20)
  }
}
