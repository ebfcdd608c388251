import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { defineEngine, type ProcessContext, type StepScope, type ToolCallOptions } from '../../src/index.ts'
import { batchesOf } from './batches.ts'
import type { FileSurvey } from './file-survey.ts'
import type { Ledger } from './ledger.ts'
import { renderReport, writeReport } from './report.ts'
import { summarize } from './summarize.ts'
import { surveyFile } from './survey-file.ts'
import { walk } from './walk.ts'

export const surveyInput = z.object({
  dir: z.string(),
  /** Makes each file take so much longer, so that there is time to watch it, or to kill it. Default 0. */
  fileDelayMs: z.number().int().min(0).optional(),
})

/** What the process ends with. */
export const surveyOutput = z.object({
  report: z.string(),
  operationId: z.string(),
  files: z.number(),
  bytes: z.number(),
  lines: z.number(),
})

export const surveyProgress = z.object({ surveyed: z.number(), files: z.number() })
export const SURVEY_PROGRESS = 'survey.progress'

export interface SurveyEngineOptions {
  readonly ledger: Ledger
  readonly reportsDir: string
}

/** Surveys a folder: each file is a step of its own, so that a crash costs the files in flight and no others. */
export const createSurveyEngine = ({ ledger, reportsDir }: SurveyEngineOptions) =>
  defineEngine({
    disposition: 'rerunnable',
    input: surveyInput,
    events: { [SURVEY_PROGRESS]: true },
    async run(ctx) {
      const { dir, fileDelayMs = 0 } = ctx.input
      // A step too: a file that appears later must not change what the next attempt does.
      const walked = await ctx.step('list-files', () => walk(dir))
      const files = await surveyFiles(ctx, dir, walked.files, fileDelayMs)

      const summary = await ctx.step('summarize', () => summarize.execute({ files }))
      const { operationId } = await ctx.step(
        'append-to-ledger',
        step =>
          ledger.append.execute({ dir, files: summary.files, bytes: summary.bytes }, toolCall(ctx, step)),
        {
          effect: 'once',
          // Nobody knows whether the line was added: the ledger does.
          onUnknown: async operationId => {
            const line = await ledger.find(operationId)
            return line === undefined ? 'not_done' : { done: line }
          },
        },
      )
      const report = reportPath(reportsDir, ctx.id)
      await ctx.step('write-report', () => writeReport(report, renderReport(dir, walked, summary)))
      const { files: count, bytes, lines } = summary
      return { report, operationId, files: count, bytes, lines } satisfies z.infer<typeof surveyOutput>
    },
  })

export const reportPath = (reportsDir: string, processId: string): string =>
  join(reportsDir, `${encodeURIComponent(processId)}.md`)

async function surveyFiles(
  ctx: ProcessContext,
  dir: string,
  paths: readonly string[],
  fileDelayMs: number,
): Promise<FileSurvey[]> {
  const surveyed: FileSurvey[] = []
  for (const batch of batchesOf(paths)) {
    ctx.signal.throwIfAborted()
    const steps = batch.map(path =>
      ctx.step(
        'survey-file',
        async ({ signal }) => {
          await delay(fileDelayMs, undefined, { signal })
          return surveyFile(dir, path)
        },
        // The steps of a batch run side by side in no fixed order: the key says which is which.
        { key: stepKey(path) },
      ),
    )
    surveyed.push(...(await Promise.all(steps)))
    await ctx.emit(SURVEY_PROGRESS, { surveyed: surveyed.length, files: paths.length })
  }
  return surveyed
}

/** The path itself, unless it is one that a key cannot be. */
const stepKey = (path: string): string =>
  path.length > 1_000 || /\p{Cc}/u.test(path) ? createHash('sha256').update(path).digest('hex') : path

/** What a tool is called with, whether by an agent or, as here, by a step. */
const toolCall = (
  ctx: ProcessContext,
  step: StepScope,
): Pick<ToolCallOptions, 'operationId' | 'processId'> => ({
  processId: ctx.id,
  operationId: step.operationId,
})
