import type { Logger } from '../runtime/logger.ts'
import { answers } from './temporal-server.ts'
import type { TemporalSettings } from './temporal-settings.ts'

const LOOK_EVERY_MS = 2_000

/**
 * Says when the server goes away and when it is back. The worker itself goes on trying either way, and its own words for
 * that are many and say neither.
 */
export function watchServer(settings: TemporalSettings, logger: Logger): { stop(): void } {
  const { address } = settings
  let isGone = false
  let isStopped = false
  let timer: NodeJS.Timeout | undefined

  async function look(): Promise<void> {
    const isHere = await answers(settings)
    if (isStopped) return
    if (!isHere && !isGone) logger.warn('the Temporal server is gone; trying until it is back', { address })
    if (isHere && isGone) logger.warn('the Temporal server is back; going on', { address })
    isGone = !isHere
    schedule()
  }
  const schedule = () => {
    timer = setTimeout(look, LOOK_EVERY_MS)
  }

  schedule()
  return {
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
