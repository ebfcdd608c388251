import { InvalidArgumentError, Option } from 'commander'
import { isLeaseholdError } from '../model/errors.ts'
import type { Flow } from '../model/flow.ts'
import { wholeNumber } from './option-values.ts'
import { parseDuration } from './time-text.ts'

/** What of a start's flow a command line can say; `docs/flow-control.md` tells what each does. */
export interface FlowFlags {
  readonly concurrency?: NonNullable<Flow['concurrency']>
  readonly rate?: NonNullable<Flow['rate']>
  readonly priority?: number
  readonly fairness?: NonNullable<Flow['fairness']>
}

export const flowOptions = (): Option[] => [
  new Option('--concurrency <key=limit>', 'of the key, so many run at a time').argParser(parseConcurrency),
  new Option('--rate <key=limit/period[/burst]>', 'of the key, so many begin in each period').argParser(
    parseRate,
  ),
  new Option('--priority <n>', '1 comes first, 5 last (default: 3)').argParser(
    wholeNumber({ min: 1, max: 5 }),
  ),
  new Option('--fairness <key[=weight]>', 'keys of one priority take turns, by weight').argParser(
    parseFairness,
  ),
]

/** For a start: nothing where nothing was said, so that the kind's own stands. */
export function flowOf({ concurrency, rate, priority, fairness }: FlowFlags): { readonly flow?: Flow } {
  const flow: Flow = {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(rate === undefined ? {} : { rate }),
    ...(priority === undefined ? {} : { priority }),
    ...(fairness === undefined ? {} : { fairness }),
  }
  return Object.keys(flow).length === 0 ? {} : { flow }
}

const atLeastOne = wholeNumber({ min: 1 })

export function parseConcurrency(text: string): NonNullable<Flow['concurrency']> {
  const [key, limit] = splitKey(text, 'KEY=LIMIT, as in site:example.org=2')
  return { key, limit: atLeastOne(limit) }
}

export function parseRate(text: string): NonNullable<Flow['rate']> {
  const form = 'KEY=LIMIT/PERIOD or KEY=LIMIT/PERIOD/BURST, as in crawls=100/1m or crawls=100/1m/1'
  const [key, amounts] = splitKey(text, form)
  const [limit = '', period, burst, ...more] = amounts.split('/')
  if (period === undefined || more.length > 0) throw new InvalidArgumentError(`It must be ${form}.`)
  return {
    key,
    limit: atLeastOne(limit),
    periodMs: parsePeriod(period),
    ...(burst === undefined ? {} : { burst: atLeastOne(burst) }),
  }
}

export function parseFairness(text: string): NonNullable<Flow['fairness']> {
  if (!text.includes('=')) return { key: text }
  const form = 'KEY or KEY=WEIGHT, as in customer-7 or customer-7=2.5; what follows the last = is the weight'
  const [key, weight] = splitKey(text, form)
  if (!/^\d+(\.\d+)?$/.test(weight)) throw new InvalidArgumentError(`It must be ${form}.`)
  return { key, weight: Number(weight) }
}

/** At the last `=`: a key may hold others. */
function splitKey(text: string, form: string): [key: string, rest: string] {
  const at = text.lastIndexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new InvalidArgumentError(`It must be ${form}.`)
}

function parsePeriod(text: string): number {
  try {
    return parseDuration(text)
  } catch (error) {
    if (isLeaseholdError(error)) throw new InvalidArgumentError(error.message)
    throw error
  }
}
