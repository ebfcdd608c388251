import { vi } from 'vitest'

/** Asks again and again until the probe neither throws nor answers `false`, and gives its answer. */
export function eventually<T>(probe: () => T | Promise<T>, timeoutMs = 20_000): Promise<T> {
  return vi.waitFor(
    async () => {
      const answer = await probe()
      if (answer === false) throw new Error('still false')
      return answer
    },
    { timeout: timeoutMs, interval: 20 },
  )
}
