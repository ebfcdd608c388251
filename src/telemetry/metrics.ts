import { type Counter, type Histogram, metrics, type ObservableGauge } from '@opentelemetry/api'

/** What a worker counts as it works. Without an SDK each of them does nothing. */
export interface Instruments {
  readonly attempts: Counter
  readonly leaseLosses: Counter
  readonly stepSeconds: Histogram
}

/** Made when a worker is: an SDK that is registered later is not heard of. */
export function createInstruments(): Instruments {
  const meter = metrics.getMeter('leasehold')
  return {
    attempts: meter.createCounter('leasehold.attempts', {
      description: 'Attempts that have ended, by kind and by what they came to',
    }),
    leaseLosses: meter.createCounter('leasehold.lease.losses', {
      description: 'Attempts that lost their lease to another',
    }),
    stepSeconds: meter.createHistogram('leasehold.step.duration', {
      description: 'One try of a step, by its name and by whether it threw',
      unit: 's',
      advice: { explicitBucketBoundaries: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300] },
    }),
  }
}

/** What is asked for only when somebody looks. */
export interface Figures {
  /** Processes that have not ended, by where they stand. */
  readonly live: Readonly<Record<string, number>>
  readonly oldestWakeSeconds: number
}

export interface Watched {
  readonly read: () => Promise<Figures>
  readonly slots: { readonly working: number; readonly resting: number }
  readonly onError: (error: unknown) => void
}

/** Shows what the registry and the worker say at each collection. Returns how to stop. */
export function observeFigures({ read, slots, onError }: Watched): () => void {
  const meter = metrics.getMeter('leasehold')
  const live = meter.createObservableGauge('leasehold.processes.live', {
    description: 'Processes of the registry that have not ended, by where they stand',
  })
  const oldest = meter.createObservableGauge('leasehold.wakes.oldest', {
    description:
      'Time since the oldest wake that its session has not taken could first be handed over; 0: there are none',
    unit: 's',
  })
  const working = meter.createObservableGauge('leasehold.slots', {
    description: 'Processes in this worker, working or only waiting',
  })
  const observables: ObservableGauge[] = [live, oldest, working]
  const observe: Parameters<typeof meter.addBatchObservableCallback>[0] = async result => {
    result.observe(working, slots.working, { state: 'working' })
    result.observe(working, slots.resting, { state: 'resting' })
    try {
      const figures = await read()
      for (const [status, count] of Object.entries(figures.live)) result.observe(live, count, { status })
      result.observe(oldest, figures.oldestWakeSeconds)
    } catch (error) {
      onError(error)
    }
  }
  meter.addBatchObservableCallback(observe, observables)
  return () => meter.removeBatchObservableCallback(observe, observables)
}
