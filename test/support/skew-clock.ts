/** `node --import skew-clock.ts …`: a host whose clock is wrong by CLOCK_AHEAD_MS. The monotonic one knows nothing of it. */
const { now } = Date
const aheadMs = Number(process.env.CLOCK_AHEAD_MS)

Date.now = () => now() + aheadMs
globalThis.Date = new Proxy(Date, {
  construct: (real, args) => (args.length === 0 ? new real(now() + aheadMs) : Reflect.construct(real, args)),
})
