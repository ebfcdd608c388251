import { relative } from 'node:path'
import type { Outcome, ProcessRecord, ProcessRegistry } from '../../src/index.ts'
import { surveyOutput } from './engine.ts'
import { DATA_DIR, ledgerPath, registryPath } from './host.ts'

/** What a survey came to, for people: from the record and the journal alone, so it is the same at every time. */
export async function describeConclusion(
  registry: ProcessRegistry,
  record: ProcessRecord,
  dataDir: string,
): Promise<string[]> {
  const steps = (await registry.journal(record.id)).filter(entry => entry.kind === 'step')
  return [
    ...(record.outcome === undefined ? ['still running'] : describeOutcome(record.outcome, dataDir)),
    `  Steps    ${steps.length}, in ${record.attempts} ${record.attempts === 1 ? 'attempt' : 'attempts'}`,
  ]
}

function describeOutcome(outcome: Outcome, dataDir: string): string[] {
  switch (outcome.status) {
    case 'completed': {
      const { files, bytes, lines, report, operationId } = surveyOutput.parse(outcome.value)
      const [count, size, text] = [files, bytes, lines].map(value => value.toLocaleString('en'))
      return [
        `completed: ${count} files, ${size} bytes, ${text} lines of text`,
        `  Report   ${shown(report)}`,
        `  Ledger   ${shown(ledgerPath(dataDir))}, operation ${operationId}`,
      ]
    }
    case 'failed':
      return [`failed: ${outcome.code}: ${outcome.message}`]
    case 'cancelled':
      return [`cancelled: ${outcome.message}`]
    case 'abandoned':
      return [`abandoned: its owner stopped without an outcome (${outcome.evidence.writer})`]
  }
}

/** Lines to paste, each of which works as it stands. */
export function whatToDoNext(
  id: string,
  dataDir: string,
  { isInline }: { readonly isInline: boolean },
): string[] {
  const withRegistry = `LEASEHOLD_REGISTRY=${quoted(`sqlite:${shown(registryPath(dataDir))}`)} npm run leasehold --`
  // The host module keeps its own data folder: with another one, its worker would show nothing of this run.
  const dev = `npm run leasehold -- dev ${isInline ? '--inline ' : ''}--host examples/survey/host.ts`
  return [
    'Look at it:',
    ...['show', 'steps', 'events'].map(command => `  ${withRegistry} ${command} ${quoted(id)}`),
    ...(dataDir === DATA_DIR
      ? [`A worker for more${isInline ? '' : ", with Temporal's UI"}:`, `  ${dev}`]
      : []),
  ]
}

/** Relative where that is shorter to read, and still right: npm runs scripts in the repository's root. */
export function shown(path: string): string {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}

/** As one word of a shell's command line. */
export const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
