/** The longest time that a timer of Node's can hold, some 25 days: a longer one would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/** A grace as a timer takes it; `Infinity` is as long as one can hold. */
export const timerMs = (ms: number): number => Math.min(ms, LONGEST_TIMER_MS)
