/**
 * The work of one transaction, as a generator. A store whose driver is asynchronous yields its promises and is resumed
 * with what they come to; a synchronous one never yields, so its whole transaction runs without anything else of this
 * OS process coming between, and many can share one commit. The registry is written once for both.
 */
export type Operation<T> = Generator<Promise<unknown>, T, unknown>
