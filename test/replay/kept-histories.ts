import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import proto, { type temporal } from '@temporalio/proto'

const { History } = proto.temporal.api.history.v1
type History = temporal.api.history.v1.IHistory

const FOLDER = fileURLToPath(new URL('histories/', import.meta.url))
const ENDING = '.jsonl'
const pathOf = (name: string): string => `${FOLDER}${name}${ENDING}`

export const keptHistories = (): string[] => readdirSync(FOLDER).map(file => file.replace(ENDING, ''))

export const isKept = (name: string): boolean => existsSync(pathOf(name))

/** One event a line. Without stack traces: a replay does not read them, and they name the machine that recorded them. */
export function keepHistory(name: string, history: History): void {
  const plain = History.toObject(History.fromObject(history), { longs: String, enums: String, bytes: String })
  const events: unknown[] = plain.events ?? []
  const lines = events.map(event =>
    JSON.stringify(event, (key, value) => (key === 'stackTrace' ? '' : value)),
  )
  writeFileSync(pathOf(name), `${lines.join('\n')}\n`)
}

export const readHistory = (name: string): string => readFileSync(pathOf(name), 'utf8')

export const parseHistory = (text: string): History =>
  History.fromObject({
    events: text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line)),
  })
