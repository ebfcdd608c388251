export const CONCURRENCY = 64

/**
 * What the references' workers are told, so that they differ from ours in nothing that is Temporal's. The library's own
 * worker sets the cache and the sticky queue to the same values itself (src/worker.ts); all else is the SDK's default.
 */
export const BARE_WORKER_SETTINGS = {
  maxConcurrentActivityTaskExecutions: CONCURRENCY,
  maxCachedWorkflows: 100,
  stickyQueueScheduleToStartTimeout: '1s',
} as const

/** After so long a sleeping process parks here: short, so that the bench does not sleep much itself. */
export const PARK_GRACE_MS = 100

/** The bare references' heartbeat time-out, the usual figure in examples. */
export const BARE_HEARTBEAT_TIMEOUT_MS = 5_000

/** How often a bare activity that hopes for a cancel beats, and how often the SDK lets a beat through. */
export const BARE_HEARTBEAT_MS = 100

export const BARE_TASK_QUEUE = 'bench-bare'

export const AI_SDK_TASK_QUEUE = 'bench-ai-sdk'
export const AI_SDK_WORKFLOWS = 'ai-sdk-workflows.mjs'
