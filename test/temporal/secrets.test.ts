import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import {
  defineEngine,
  definePlugin,
  defineTool,
  isLeaseholdError,
  type Logger,
  type ProcessContext,
  secret,
} from '../../src/index.ts'
import { openWorkspace } from '../cli/fixtures.ts'
import { eventually } from '../support/eventually.ts'
import { historyText } from '../support/history-text.ts'
import { OPEN, PLANTED, PLANTED_ADDRESS, plantedIn, refused } from '../support/planted-secrets.ts'
import { openWorld } from '../support/temporal-world.ts'

async function useAll(ctx: ProcessContext<{ note: string }>) {
  const key = secret(process.env.PLANTED ?? '')
  await ctx.step('call', ({ operationId }) => `${operationId}: ${key.reveal().length} characters`)
  ctx.log.warn('called', { key, cause: 'none' })
  await ctx
    .step('refused', () => Promise.reject(refused()), { retry: { attempts: 2, delayMs: 1 } })
    .catch(() => {})
  await ctx
    .emit('called', JSON.parse(JSON.stringify({ key, ofEvent: secret(PLANTED.ofEvent) })))
    .catch(() => {})
  await ctx.sleep(200)
  throw refused()
}

const engines = {
  all: defineEngine({
    disposition: 'rerunnable',
    input: z.object({ note: z.string() }),
    events: { called: true },
    run: useAll,
  }),
  stubborn: defineEngine({
    disposition: 'rerunnable',
    run: ctx =>
      new Promise<void>((_, reject) => ctx.signal.addEventListener('abort', () => reject(refused()))),
  }),
}
const tools = {
  failing: defineTool(
    { description: 'fails', inputSchema: z.looseObject({}), execute: () => Promise.reject(refused()) },
    { disposition: 'rerunnable' },
  ),
}
const plugins = [
  definePlugin('search', () => {
    throw refused()
  }),
]

test('no planted secret is found in rows, histories, logs, errors or answers of the command line', async () => {
  process.env.PLANTED = PLANTED.ofEnvironment
  const seen: Record<string, string> = { logs: '', errors: '', histories: '', answers: '' }
  const log: Logger['warn'] = (message, fields) => {
    seen.logs += `${message} ${JSON.stringify(fields)}\n`
  }
  const logger: Logger = { debug: log, info: log, warn: log, error: log }
  await using world = await openWorld({ engines, tools })
  const worker = await world.startWorker({ logger, parkGraceMs: 30, shutdownGraceMs: 300, stopBoundMs: 50 })
  const note = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (!isLeaseholdError(error)) throw new Error('it was not refused', { cause: error })
    seen.errors += `${error.code} ${error.message} ${JSON.stringify(error.details)} ${error.stack}\n`
  }

  // What a start may not carry.
  const input = { note: OPEN }
  const { processes } = world
  const marked: Record<string, never> = {}
  Reflect.set(marked, 'x', secret(PLANTED.ofPolicy))
  await note(processes.startUntyped({ kind: 'all', input, env: { policy: { apiKey: PLANTED.ofPolicy } } }))
  await note(
    processes.startUntyped({
      kind: 'all',
      input,
      env: { policy: marked },
    }),
  )
  await note(
    processes.startUntyped({
      kind: 'all',
      input,
      env: { pluginOptions: { x: { token: PLANTED.ofOption } } },
    }),
  )
  await note(processes.startUntyped({ kind: 'all', input: { note: secret(PLANTED.ofInput) } }))
  const args = { token: secret(PLANTED.ofInput) }
  await note(processes.startUntyped({ kind: 'tool_call', input: { tool: 'failing', args } }))

  // What fails, is retried, is cancelled and cannot be built, with secrets in every error.
  const all = await processes.start({ kind: 'all', input })
  const call = await processes.startUntyped({ kind: 'tool_call', input: { tool: 'failing', args: {} } })
  const stubborn = await processes.start({ kind: 'stubborn' })
  await eventually(async () => expect((await stubborn.describe()).firstStarted).toBeDefined())
  await stubborn.cancel('enough')
  for (const { id, outcome } of [all, call, stubborn]) {
    seen.errors += JSON.stringify(await outcome())
    await world.workflow(id).result()
    seen.histories += (await historyText(world.temporal, id)).text
  }
  Object.assign(world.host, { plugins })
  await note(world.createWorker({ logger }))
  await worker.stop()

  const { cli } = await openWorkspace()
  const registry = ['--registry', `sqlite:${world.registryPath}`]
  for (const command of ['show', 'events', 'steps', 'explain']) {
    const { stdout, stderr } = await cli([command, all.id, '--json', ...registry])
    seen.answers += stdout + stderr
  }
  const unreachable = await cli(['list', '--registry', PLANTED_ADDRESS, '--json', '--debug'])
  expect(unreachable.code).toBe(5)
  seen.answers += unreachable.stdout + unreachable.stderr

  const folder = dirname(world.registryPath)
  const files = (await readdir(folder)).filter(name => name.startsWith('leasehold.db'))
  seen.rows = (await Promise.all(files.map(name => readFile(join(folder, name), 'latin1')))).join('\n')

  for (const where of ['rows', 'errors', 'answers']) expect(seen[where], where).toContain(OPEN)
  expect(seen.histories).toContain('heartbeatTimeoutMs')
  expect(seen.logs).toContain('called')
  const found = Object.entries(seen).map(([where, text]) => [where, plantedIn(text)])
  expect(found).toEqual(Object.keys(seen).map(where => [where, []]))
})
