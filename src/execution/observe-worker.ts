import { messageOf } from '../model/errors.ts'
import { observeFigures } from '../telemetry/metrics.ts'
import type { ExecutionEnvironment } from './environment.ts'

/** Shows what this worker and its registry say, whenever somebody collects. Returns how to stop. */
export const observeWorker = ({ registry, slots, logger }: ExecutionEnvironment): (() => void) =>
  observeFigures({
    slots,
    read: async () => {
      const { live, oldestWakeMs } = await registry.figures()
      return { live: { ...live }, oldestWakeSeconds: oldestWakeMs / 1_000 }
    },
    onError: error =>
      logger.warn('the registry could not be asked for its figures', { error: messageOf(error) }),
  })
