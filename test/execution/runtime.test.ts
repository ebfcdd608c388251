import { describe, expect, test } from 'vitest'
import { definePlugin, type LeaseholdError } from '../../src/index.ts'
import { durableExecutionHost, type ExecutionHost } from '../../src/runtime/execution-host.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, type StageOptions, supersede, work } from './stage.ts'

/** Plugins that say when they were made and disposed of. */
function watchedPlugins() {
  const said: string[] = []
  const plugin = (name: string) =>
    definePlugin(name, (options: { n?: number } | null) => {
      said.push(`+${name}${options?.n ?? ''}`)
      return { hooks: { dispose: () => void said.push(`-${name}`) } }
    })
  return { said, plugins: [plugin('a'), [plugin('b')]] }
}

describe('the runtime of an attempt', () => {
  test('is made of the plugins in order, with the options captured at the start, and unmade in reverse', async () => {
    const { said, plugins } = watchedPlugins()
    const host = { plugins, pluginOptions: { a: { n: 1 } } }
    const stage = openStage({ engines: work(() => said.push('run')), host })
    const [one, two] = [await stage.start(), await stage.start({ env: { pluginOptions: { b: { n: 2 } } } })]
    await stage.outcome(one)
    expect(said.splice(0)).toEqual(['+a1', '+b', 'run', '-b', '-a'])
    await stage.outcome(two)
    expect(said).toEqual(['+a', '+b2', 'run', '-b', '-a'])
  })

  test('gives the code its session, policy, tools and models, of the host and of its plugins', async () => {
    const tool = { execute: () => 1 }
    const stage = openStage({
      engines: work(({ id, runtime: { sessionId, policy, tools, models } }) => ({
        isOwnSession: sessionId === `process-env:${id}`,
        policy,
        tools: Object.keys(tools),
        models,
      })),
      tools: { own: tool },
      host: {
        policy: { model: 'small' },
        models: { small: 'x/small' },
        plugins: [definePlugin('more', () => ({ tools: { added: tool }, models: { big: 'x/big' } }))],
      },
    })
    expect(await stage.outcome(await stage.start())).toEqual({
      status: 'completed',
      value: {
        isOwnSession: true,
        policy: { model: 'small' },
        tools: ['own', 'added'],
        models: { small: 'x/small', big: 'x/big' },
      },
    })
  })

  test('is disposed of when the code fails, when it parks, when the worker stops and when the lease is lost', async () => {
    const { said, plugins } = watchedPlugins()
    const ends = openStage({
      engines: work(() => Promise.reject(new Error('no'))),
      host: { plugins },
    })
    await ends.outcome(await ends.start())
    expect(said.splice(0)).toEqual(['+a', '+b', '-b', '-a'])

    const parks = openStage({ engines: work(ctx => ctx.sleep(60_000)), host: { plugins } })
    expect(await parks.runner.run(await parks.start())).toMatchObject({ type: 'parked' })
    expect(said.splice(0)).toEqual(['+a', '+b', '-b', '-a'])

    const gate = createGate()
    const waits = openStage({ engines: work(() => gate.pass()), host: { plugins } })
    const shutdown = new AbortController()
    const stopped = waits.runner.run(await waits.start(), { shutdown: shutdown.signal })
    await eventually(() => gate.arrivals === 1)
    shutdown.abort()
    expect(await stopped).toEqual({ type: 'released' })
    expect(said.splice(0)).toEqual(['+a', '+b', '-b', '-a'])

    const id = await waits.start()
    const lost = waits.runner.run(id)
    await eventually(() => gate.arrivals === 2)
    await supersede(waits, waits)
    expect(
      await waits.addWorker({}, { plugins: [] }).runner.run(id, { shutdown: AbortSignal.abort() }),
    ).toEqual({
      type: 'released',
    })
    gate.open()
    expect(await lost).toEqual({ type: 'lost' })
    expect(said).toEqual(['+a', '+b', '-b', '-a'])
  })

  const failing = (error: Error): Required<Pick<StageOptions, 'host'>> & { readonly said: string[] } => {
    const { said, plugins } = watchedPlugins()
    const broken = definePlugin('broken', () => Promise.reject(error))
    return { said, host: { plugins: [...plugins, broken] } }
  }

  test('that a plugin cannot make is process_recovery_failed, names plugin and environment, and leaves nothing behind', async () => {
    const { said, host } = failing(new Error('no such index'))
    const stage = openStage({ engines: work(() => 1), host })
    const id = await stage.start()
    const { envRef } = await stage.record(id)
    const outcome = await stage.outcome(id)
    expect(outcome).toMatchObject({
      status: 'failed',
      code: 'process_recovery_failed',
      raw: { code: 'process_runtime_build_failed' },
      message: expect.stringContaining('plugin "broken" failed: no such index'),
    })
    expect(outcome).toMatchObject({ message: expect.stringContaining(envRef ?? 'no ref') })
    expect(said).toEqual(['+a', '+b', '-b', '-a'])
  })

  test('whose plugin finds its server away is tried again, and ends nothing', async () => {
    const { host } = failing(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))
    const stage = openStage({ engines: work(() => 1), host })
    const id = await stage.start()
    expect(await stage.runner.run(id)).toMatchObject({ type: 'store_failed' })
    expect(await stage.record(id)).toMatchObject({ status: 'running' })
  })

  test('refuses two tools of one name, and says who gives them', async () => {
    const tool = { execute: () => 1 }
    const stage = openStage({
      engines: work(() => 1),
      tools: { search: tool },
      host: { plugins: [definePlugin('web', () => ({ tools: { search: tool } }))] },
    })
    expect(await stage.outcome(await stage.start())).toMatchObject({
      code: 'process_recovery_failed',
      message: expect.stringContaining(
        'plugin "web" gives a tool "search", which the host module gives already',
      ),
    })
  })
})

describe('an attempt', () => {
  test('runs inside the scope that its execution host gives for the process', async () => {
    const said: string[] = []
    const executionHost: ExecutionHost = {
      scope: processId => ({
        id: processId,
        run: async body => {
          said.push(`into ${processId}`)
          try {
            return await body()
          } finally {
            said.push('out')
          }
        },
      }),
    }
    const stage = openStage({ engines: work(() => said.push('run')), executionHost })
    const id = await stage.start()
    await stage.outcome(id)
    expect(said).toEqual([`into ${id}`, 'run', 'out'])
  })

  test('without a scope, or with a store that forgets, is process_recovery_failed, and the code is not entered', async () => {
    const scopeless = openStage({
      engines: work(() => expect.unreachable()),
      executionHost: { scope: () => undefined },
    })
    const id = await scopeless.start()
    expect(await scopeless.outcome(id)).toMatchObject({
      code: 'process_recovery_failed',
      raw: { code: 'process_no_static_scope' },
    })
    expect(await scopeless.record(id)).not.toHaveProperty('firstStarted')

    const forgetful = openStage({
      engines: work(() => expect.unreachable()),
      executionHost: durableExecutionHost,
    })
    expect(await forgetful.outcome(await forgetful.start())).toMatchObject({
      code: 'process_recovery_failed',
      raw: { code: 'durable_store_required:attachment_store' },
    })
  })

  test.each(['', ' '])('of the blank id %j is refused before anything else (§6 #151)', async id => {
    const stage = openStage({})
    await expect(stage.runner.run(id)).rejects.toMatchObject({ code: 'missing_process_execution_id' })
  })

  test('of work that somebody else owns is none: nothing is claimed or started (§6 #152)', async () => {
    const stage = openStage({})
    const id = await stage.start({ kind: 'external' })
    expect(await stage.runner.run(id)).toEqual({ type: 'external' })
    expect(await stage.record(id)).toMatchObject({ attempts: 0, status: 'running' })
    expect(await stage.record(id)).not.toHaveProperty('firstStarted')
  })

  test('at a worker of another host profile is refused and leaves the process as it is (§6 #163)', async () => {
    const stage = openStage({ engines: work(() => 1), host: { profileId: 'laptop' } })
    const id = await stage.start()
    expect(await stage.record(id)).toMatchObject({ provenance: { hostProfileId: 'laptop' } })
    const other = stage.addWorker({}, { profileId: 'server' })
    await expect(other.runner.run(id)).rejects.toSatisfy(
      (error: LeaseholdError) =>
        error.code === 'process_host_profile_mismatch' &&
        error.message.includes('"laptop"') &&
        error.message.includes('"server"'),
    )
    expect(await stage.record(id)).toMatchObject({ attempts: 0, status: 'running' })
    expect(await stage.outcome(id)).toMatchObject({ status: 'completed' })
  })
})
