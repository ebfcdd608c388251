import type { Client } from '@temporalio/client'
import { temporal } from '@temporalio/proto'

const { History } = temporal.api.history.v1

/** A run's history as whoever has the server reads it. */
export interface HistoryText {
  /** All of it as JSON, payloads as the text that their bytes are. */
  readonly text: string
  /** How its payloads say that they are encoded. */
  readonly encodings: ReadonlySet<string>
}

/** Of the latest run. */
export async function historyText(client: Client, workflowId: string): Promise<HistoryText> {
  const history = await client.workflow.getHandle(workflowId).fetchHistory()
  const encodings = new Set<string>()
  // Not by JSON at once: protobuf's own would write bytes in base 64, in which nothing is ever found.
  const plain = History.toObject(History.fromObject(history), { longs: String, enums: String })
  const text = JSON.stringify(plain, (key, value) => {
    if (value?.type !== 'Buffer') return value
    const bytes = Buffer.from(value.data).toString('utf8')
    if (key === 'encoding') encodings.add(bytes)
    return bytes
  })
  return { text, encodings }
}
