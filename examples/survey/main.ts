/*
 * `npm start`: surveys a folder as a durable process. The one file of the example that reads the environment; the
 * process itself is in engine.ts, and host.ts is what you would write for your own.
 */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ProcessRecord } from '../../src/index.ts'
import { explain, Interrupted } from '../support/example-error.ts'
import { renderChecks } from '../support/table.ts'
import { defaultId, readArguments, requireFolder, USAGE } from './arguments.ts'
import { describeConclusion, quoted, whatToDoNext } from './conclusion.ts'
import { planCrash, runCrash } from './crash.ts'
import { surveyInput } from './engine.ts'
import { createSurveyHost, DATA_DIR } from './host.ts'
import { createProgress } from './progress.ts'
import { runSurvey } from './run.ts'
import { createStage } from './stage.ts'

const { env } = process
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))
const progress = createProgress(process.stdout)
const interruption = new AbortController()

async function main(): Promise<number> {
  const options = readArguments(process.argv.slice(2))
  if (options.isHelp) {
    console.log(USAGE)
    return 0
  }
  // npm runs scripts in the repository's root, and says here where its user was.
  const here = env.INIT_CWD ?? process.cwd()
  const dir = await requireFolder(here, options.dir ?? REPOSITORY)
  const dataDir = options.dataDir === undefined ? DATA_DIR : resolve(here, options.dataDir)
  const plan = options.isCrash ? await planCrash(dir) : undefined

  await using stack = new AsyncDisposableStack()
  const registry = await createSurveyHost(dataDir).registry.open()
  stack.defer(() => registry.close())

  const id =
    plan === undefined ? (options.id ?? defaultId(dir)) : `${defaultId(dir)}-crash-${Date.now().toString(36)}`
  const known = await registry.get(id)
  if (known !== undefined && isAnswer(known, dir)) {
    const at = new Date(known.updatedAtMs).toISOString()
    console.log(`Process ${id} is on record since ${at}: nothing is run, this is its answer.`)
    await conclude(known)
    const where = `${options.isInline ? ' --inline' : ''}${options.dir === undefined ? '' : ` --dir ${quoted(options.dir)}`}`
    console.log(`To survey anew, give it a new id:\n  npm start --${where} --id ${quoted(`${id}-2`)}`)
    return known.status === 'completed' ? 0 : 1
  }

  console.log(`Surveying ${dir} as process ${id}`)
  const cacheDir = join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'leasehold')
  const { signal } = interruption
  const { isInline } = options
  const stage = stack.use(await createStage(registry, { isInline, dataDir, env, cacheDir, progress, signal }))

  const request = { id, dir, progress }
  let isAsItMustBe = true
  if (plan === undefined) {
    await runSurvey(stage, request)
  } else {
    console.log(`To have time for the kill, each file takes ${plan.fileDelayMs} ms longer.`)
    const checks = await runCrash(stage, { ...request, dataDir, plan })
    isAsItMustBe = checks.every(check => check.isSo)
    console.log(renderChecks(checks))
  }
  const record = await registry.get(id)
  if (record !== undefined) await conclude(record)
  return isAsItMustBe && record?.status === 'completed' ? 0 : 1

  async function conclude(ended: ProcessRecord): Promise<void> {
    console.log((await describeConclusion(registry, ended, dataDir)).join('\n'))
    console.log(whatToDoNext(ended.id, dataDir, options).join('\n'))
  }
}

/** It has ended, and it surveyed this folder. Of another folder's record the start itself says that the id is taken. */
function isAnswer(record: ProcessRecord, dir: string): boolean {
  if (record.outcome === undefined || record.input.type !== 'engine') return false
  const input = surveyInput.safeParse(record.input.payload)
  return input.success && input.data.dir === dir
}

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    // The second time at once: the server and the workers end with this process, whatever it was doing.
    if (interruption.signal.aborted) process.exit(exitCode)
    progress.say('Stopping; the next start goes on from here. (Again: at once.)')
    process.exitCode = exitCode
    interruption.abort(new Interrupted(`stopped by ${signal}`))
  })
}

try {
  const exitCode = await main()
  process.exitCode ??= exitCode
} catch (error) {
  progress.stop()
  if (!interruption.signal.aborted) {
    const { line, exitCode } = explain(error)
    console.error(line)
    process.exitCode = exitCode
  }
}
