import type { Trigger } from '../model/trigger.ts'
import type { Output } from './output.ts'
import { oneLine } from './plain-text.ts'
import { alignColumns } from './table.ts'
import { formatTime } from './time-text.ts'

export function triggerLines(triggers: readonly Trigger[], output: Output): string[] {
  const head = ['TRIGGER', 'ON', 'STARTS', 'NEXT'].map(name => output.paint('dim', name))
  const rows = triggers.map(({ triggerId, source, start, isPaused, nextAtMs }) => [
    oneLine(triggerId),
    oneLine(source.type === 'event' ? `event ${source.name}` : `${source.cron} ${source.timeZone}`),
    oneLine(start.kind),
    isPaused ? 'paused' : nextAtMs === undefined ? '' : formatTime(nextAtMs),
  ])
  return alignColumns([head, ...rows])
}

export function deliveryLines(
  type: 'recorded' | 'known',
  starts: readonly { readonly triggerId: string; readonly processId: string }[],
  output: Output,
): string[] {
  const first =
    type === 'known'
      ? 'This key was said before; nothing new is started.'
      : `Recorded. ${starts.length === 0 ? 'No trigger is on for it.' : 'The workers start:'}`
  if (starts.length === 0) return [first]
  const head = ['TRIGGER', 'PROCESS'].map(name => output.paint('dim', name))
  return [
    first,
    ...alignColumns([head, ...starts.map(({ triggerId, processId }) => [oneLine(triggerId), processId])]),
  ]
}
