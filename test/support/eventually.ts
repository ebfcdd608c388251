import { vi } from 'vitest'

/**
 * Asks again and again until the probe neither throws nor answers `false`, and gives its answer. The limit ends a test that
 * waits for what never comes; it is no bound that a slow machine could miss.
 */
export function eventually<T>(probe: () => T | Promise<T>, timeoutMs = 60_000): Promise<T> {
  return vi.waitFor(
    async () => {
      const answer = await probe()
      if (answer === false) throw new Error('still false')
      return answer
    },
    { timeout: timeoutMs, interval: 20 },
  )
}
