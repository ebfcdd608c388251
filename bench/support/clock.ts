/**
 * The wall clock with a fraction, for spans that begin in one OS process and end in another of the same host: their
 * monotonic clocks have different origins. `timeOrigin` is read once, so a clock that is set during a run would falsify
 * such a span; within one process the monotonic clock is used.
 */
export const wallMs = (): number => performance.timeOrigin + performance.now()
