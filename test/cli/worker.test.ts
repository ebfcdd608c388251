import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { findFreePorts } from '../../src/dev-server/free-ports.ts'
import { type DevServer, startDevServer } from '../../src/dev-server/index.ts'
import { jsonError, openWorkspace } from './fixtures.ts'

const MEMBERS = `
  engines: {
    greet: defineEngine({ disposition: 'rerunnable', run: () => 'hello' }),
    bound: defineEngine({
      disposition: 'owner_bound',
      run: ctx => new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))),
    }),
    stubborn: defineEngine({ disposition: 'rerunnable', run: () => new Promise(() => {}) }),
  }`

async function withHost(variables: Readonly<Record<string, string>> = {}) {
  const workspace = await openWorkspace()
  const env = { LEASEHOLD_HOST: await workspace.writeHost(MEMBERS), ...variables }
  return {
    ...workspace,
    launch: (...args: string[]) => workspace.start(args, { env }),
    run: (...args: string[]) => workspace.cli(args, { env }),
  }
}

/** A server of the test's own, to be taken away. */
async function startServer(preferredPort: number): Promise<DevServer> {
  const { TEMPORAL_ADDRESS: _, ...env } = process.env
  const cacheDir = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'leasehold')
  const server = await startDevServer({ env, cacheDir, preferredPort })
  onTestFinished(() => server.stop())
  return server
}

describe('worker', () => {
  test('says when it polls, runs processes, and drains on SIGTERM', async () => {
    const { launch, run, id, registryPath } = await withHost()
    const worker = launch('worker')
    expect(await worker.line('ready')).toBe('The worker is ready. Ctrl-C drains and stops it.')
    expect(await worker.line('temporal')).toBe(`temporal    ${inject('temporalAddress')}, namespace default`)
    expect(await worker.line('registry')).toBe(`registry    sqlite:${registryPath}`)
    expect(await worker.line('kinds')).toBe('kinds       greet, bound, stubborn')
    expect((await run('start', 'greet', '--id', id, '--wait')).code).toBe(0)
    worker.child.kill('SIGTERM')
    expect(await worker.ended).toMatchObject({
      code: 0,
      stderr: 'SIGTERM: draining; once more stops at once.\n',
    })
  })

  test('says so as one JSON document', async () => {
    const { launch, registryPath, run } = await withHost()
    const worker = launch('worker', '--json')
    const { ready } = JSON.parse(await worker.line('ready'))
    expect(ready).toEqual({
      worker: expect.stringMatching(/^worker:/),
      temporal: { address: inject('temporalAddress'), namespace: 'default' },
      taskQueue: `leasehold-${ready.registryId}`,
      registry: `sqlite:${registryPath}`,
      registryId: expect.any(String),
    })
    expect((await run('doctor')).stdout).toMatch(
      new RegExp(`ok +workers +1 on ${ready.taskQueue}: ${ready.worker}`),
    )
  })

  test('serves the queue that flag or variable names', async () => {
    const { launch, run, id } = await withHost({ LEASEHOLD_TASK_QUEUE: 'by-variable' })
    const queue = `queue-${id}`
    const worker = launch('worker', '--task-queue', queue)
    expect(await worker.line('task queue')).toContain(queue)
    expect((await run('start', 'greet', '--id', id, '--wait', '--task-queue', queue)).code).toBe(0)
  })

  test('is told of a cancel while it runs the process', async () => {
    const { launch, run, id } = await withHost()
    await launch('worker').line('ready')
    await run('start', 'bound', '--id', id)
    await launch('events', id, '--follow').line('process.first_started')
    expect((await run('cancel', id, '--reason', 'enough')).code).toBe(0)
    expect(await run('await', id)).toMatchObject({ code: 11, stdout: 'status  cancelled\nreason  enough\n' })
  })

  test('that drains ends what is bound to it as abandoned', async () => {
    const { launch, run, id } = await withHost()
    const worker = launch('worker')
    await worker.line('ready')
    await run('start', 'bound', '--id', id)
    await launch('events', id, '--follow').line('process.first_started')
    worker.child.kill('SIGTERM')
    expect((await worker.ended).code).toBe(0)
    const { code, stdout } = await run('await', id, '--json')
    expect(code).toBe(12)
    expect(JSON.parse(stdout).evidence.writer).toBe('owner_drain')
  })

  test('stops at once at a second signal', async () => {
    const { launch, run, id } = await withHost()
    const worker = launch('worker')
    await worker.line('ready')
    await run('start', 'stubborn', '--id', id)
    await launch('events', id, '--follow').line('process.first_started')
    expect((await worker.insist('SIGINT')).code).toBe(130)
    expect((await run('await', id, '--timeout', '0s')).code).toBe(13)
  })

  test('that is stopped while it starts starts nothing', async () => {
    const { launch, writeHost, write } = await withHost()
    const host = await writeHost(MEMBERS)
    // It loads until the very signal that must stop the start.
    const slow = await write(
      'slow.ts',
      `console.log('loading')
       const timer = setInterval(() => {}, 1_000)
       await new Promise(resolve => process.once('SIGTERM', resolve))
       clearInterval(timer)
       export { default } from '${host}'`,
    )
    const worker = launch('worker', '--host', slow)
    await worker.line('loading')
    worker.child.kill('SIGTERM')
    expect(await worker.ended).toEqual({ code: 143, stdout: 'loading\n', stderr: '' })
  })

  test('without a server does not start, and names the address: temporal_unreachable, exit 5', async () => {
    const { run } = await withHost({ TEMPORAL_ADDRESS: '127.0.0.1:9' })
    const ended = await run('worker', '--json')
    expect(ended).toMatchObject({ code: 5, stdout: '' })
    expect(jsonError(ended)).toEqual({
      code: 'temporal_unreachable',
      message:
        'No Temporal server answers at 127.0.0.1:9 (connect ECONNREFUSED 127.0.0.1:9). Start one with "leasehold dev", or correct TEMPORAL_ADDRESS (host:port).',
      address: '127.0.0.1:9',
    })
  })

  test('in a namespace that is not there does not start: exit 2', async () => {
    const { run } = await withHost({ TEMPORAL_NAMESPACE: 'nowhere' })
    const ended = await run('worker', '--json')
    expect(ended.code).toBe(2)
    expect(jsonError(ended)).toMatchObject({
      code: 'temporal_namespace_unknown',
      namespace: 'nowhere',
    })
  })

  test('whose registry cannot be opened does not start', async () => {
    const { run, write, registryPath } = await withHost()
    await write('data', 'a file where the registry’s folder should be')
    const ended = await run('worker', '--json')
    expect(ended.code).toBe(5)
    expect(jsonError(ended)).toMatchObject({ code: 'registry_unavailable', path: registryPath })
  })

  test('says that the server is gone, goes on when it is back, and loses nothing', async () => {
    const [port = 0] = await findFreePorts([0])
    const server = await startServer(port)
    const { launch, run, id } = await withHost({ TEMPORAL_ADDRESS: server.address })
    const worker = launch('worker')
    await worker.line('ready')
    await server.stop()
    await worker.line('the Temporal server is gone; trying until it is back')
    expect((await run('start', 'greet', '--id', id)).code).toBe(5)
    await startServer(port)
    await worker.line('the Temporal server is back; going on')
    expect((await run('await', id)).stdout).toContain('hello')
    worker.child.kill('SIGTERM')
    expect((await worker.ended).code).toBe(0)
  })
})
