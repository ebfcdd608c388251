import { LeaseholdError } from '../model/errors.ts'
import type { Operation } from './store.ts'

/** An operation that never waits. */
// biome-ignore lint/correctness/useYield: it is synchronous, and that is the point
export function* immediately<T>(run: () => T): Operation<T> {
  return run()
}

/** Runs an operation over a synchronous driver to its end, in one turn of the event loop. */
export function runSynchronously<T>(operation: Operation<T>): T {
  const step = operation.next()
  if (step.done) return step.value
  // Resuming it later would let other work in between, inside this transaction: end it here instead.
  operation.return(undefined as never)
  throw waitedForSomething()
}

/** An operation that waits for one promise of the store's driver. */
export function* awaited<T>(promise: Promise<T>): Operation<T> {
  return (yield promise) as T
}

/**
 * Operations that do not depend on each other, in the order given: a database elsewhere is asked all of it before it has
 * answered the first. It still does one after the other, so that what is locked first is locked first.
 */
export function* together<const Operations extends readonly Operation<unknown>[]>(
  ...operations: Operations
): Operation<Results<Operations>> {
  const begun = operations.map(begin)
  const results: unknown[] = []
  for (const each of begun) results.push(yield* finish(each))
  return results as Results<Operations>
}

type Results<Operations extends readonly Operation<unknown>[]> = {
  -readonly [Place in keyof Operations]: Operations[Place] extends Operation<infer T> ? T : never
}

interface Begun<T> {
  readonly operation: Operation<T>
  readonly step: IteratorResult<Promise<unknown>, T>
}

function begin<T>(operation: Operation<T>): Begun<T> {
  const step = operation.next()
  // If one before it fails, nobody waits for this one any more.
  if (!step.done) step.value.catch(() => {})
  return { operation, step }
}

function* finish<T>({ operation, step }: Begun<T>): Operation<T> {
  let next = step
  while (!next.done) next = operation.next(yield next.value)
  return next.value
}

/**
 * Runs an operation over an asynchronous driver. What a promise is rejected with is thrown where it was yielded. Any
 * promise but the driver's own is refused: a transaction that waits for something else keeps its locks meanwhile.
 */
export async function runAsynchronously<T>(
  operation: Operation<T>,
  isOfDriver: (promise: Promise<unknown>) => boolean,
): Promise<T> {
  let step = operation.next()
  while (!step.done) {
    if (!isOfDriver(step.value)) {
      operation.return(undefined as never)
      throw waitedForSomething()
    }
    step = await step.value.then(
      value => operation.next(value),
      error => operation.throw(error),
    )
  }
  return step.value
}

const waitedForSomething = () =>
  new LeaseholdError(
    'internal',
    'The body of a transaction waited for something, but a transaction waits for nothing but its store. Do it before the transaction, and yield only what the store gives.',
  )
