import { expect, onTestFinished, test } from 'vitest'
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import { createInlineWorker, createProcessClient, defineHost, type Json } from '../../src/index.ts'
import { borrowRegistry } from '../../src/runtime/open-registry.ts'
import { type ModelPrompt, scriptedModel } from '../../src/testing/index.ts'
import { temporaryPath } from '../registry/store-fixtures.ts'
import { createGate } from '../support/gate.ts'
import { scannedLogger } from '../support/scan/logs.ts'

const usersTexts = (prompt: ModelPrompt): readonly string[] =>
  prompt.flatMap(({ role, content }) =>
    role === 'user' ? content.map(part => (part.type === 'text' ? part.text : part.type)) : [],
  )

/** Answers each thing that is said with what it was; where that ends as stated and nothing else was said, only once the gate is open. */
async function openWorld(policy: { readonly [field: string]: Json } = {}, held = 'first') {
  const gate = createGate()
  const echo = (prompt: ModelPrompt) => `heard ${usersTexts(prompt).join(', ')}`
  const scripted = scriptedModel(Array.from({ length: 9 }, () => echo))
  const model: typeof scripted = {
    ...scripted,
    doGenerate: async params => {
      // Like a provider it gives up when it is told to.
      if (usersTexts(params.prompt).join().endsWith(held)) await gate.pass(params.abortSignal)
      return scripted.doGenerate(params)
    },
  }
  const host = defineHost({
    registry: parseRegistryAddress(`sqlite:${await temporaryPath()}`),
    models: { default: model },
    policy,
  })
  const processes = createProcessClient({ host })
  onTestFinished(() => processes[Symbol.asyncDispose]())
  const worker = createInlineWorker(host, { logger: scannedLogger, shutdownGraceMs: 0, parkGraceMs: 10 })
  onTestFinished(async () => void (await worker.stop()))
  await worker.ready
  const chat = processes.session('chat')
  /** A turn that the model has been asked in. */
  const startFirst = async () => {
    const first = await chat.send('first')
    await expect.poll(() => gate.arrivals).toBe(1)
    return first
  }
  return { host, processes, chat, gate, startFirst }
}

const answer = (text: string) => ({ status: 'completed', value: { turn: { answer: text } } })

test('a session is made by what is said first, and remembers', async () => {
  const { chat, gate } = await openWorld()
  gate.open()
  const first = await chat.send('first', { id: 'turn-1' })
  expect(await first.outcome()).toMatchObject(answer('heard first'))
  expect(await chat.send('first', { id: 'turn-1' })).toMatchObject({ id: 'turn-1', started: false })
  expect(await (await chat.send('second')).outcome()).toMatchObject(answer('heard first, second'))
  expect((await chat.entries()).map(({ turnId }) => turnId).slice(0, 2)).toEqual(['turn-1', 'turn-1'])
})

test('queue: what is said while a turn runs has its turn after it', async () => {
  const { chat, gate, startFirst } = await openWorld()
  const first = await startFirst()
  const [second, third] = [await chat.send('second'), await chat.send('third')]
  gate.open()
  expect(await first.outcome()).toMatchObject(answer('heard first'))
  expect(await second.outcome()).toMatchObject(answer('heard first, second'))
  expect(await third.outcome()).toMatchObject(answer('heard first, second, third'))
})

test('steer: the running turn takes it in, and it is said once', async () => {
  const { chat, gate, startFirst } = await openWorld({ whileRunning: 'steer' })
  const first = await startFirst()
  const second = await chat.send('second')
  gate.open()
  expect(await first.outcome()).toMatchObject(answer('heard first, second'))
  expect(await second.outcome()).toMatchObject({
    status: 'completed',
    value: { turn: { absorbedBy: first.id } },
  })
  expect(await (await chat.send('third')).outcome()).toMatchObject(answer('heard first, second, third'))
})

test('steer: what a cancelled turn has not said has a turn of its own', async () => {
  const { chat, gate, startFirst } = await openWorld({ whileRunning: 'steer' })
  const first = await startFirst()
  const second = await chat.send('second')
  await first.cancel()
  gate.open()
  expect(await first.outcome()).toMatchObject({ status: 'cancelled' })
  expect(await second.outcome()).toMatchObject(answer('heard second'))
})

test('interrupt: the running turn is cancelled, and it comes next', async () => {
  const { chat, gate, startFirst } = await openWorld({ whileRunning: 'interrupt' })
  const first = await startFirst()
  const second = await chat.send('second')
  expect(await first.outcome()).toMatchObject({ status: 'cancelled' })
  const third = await chat.send('third')
  gate.open()
  expect(await third.outcome()).toMatchObject({ status: 'completed' })
  expect(['cancelled', 'completed']).toContain((await second.outcome()).status)
})

test('interrupt: what a process has to tell the session is told all the same', async () => {
  const { host, processes, chat, gate, startFirst } = await openWorld({ whileRunning: 'interrupt' })
  const { registry, release } = await borrowRegistry(host.registry)
  onTestFinished(release)
  const first = await startFirst()
  const news = { 'process.cancel_requested': { input: { const: 'news' } } } as const
  const other = await processes.start({
    kind: 'external',
    input: null,
    session: { sessionId: 'chat' },
    wakes: news,
  })
  await other.cancel()
  await expect.poll(async () => (await registry.waitingInputs('chat')).length, { timeout: 20_000 }).toBe(1)
  const second = await chat.send('second')
  expect(await first.outcome()).toMatchObject({ status: 'cancelled' })
  gate.open()
  expect(await second.outcome()).toMatchObject({ status: 'completed' })
  expect(JSON.stringify(await chat.entries())).toContain('news')
})

test('interrupt: a wake whose own turn is cancelled is told to the next one', async () => {
  const { host, processes, chat, gate } = await openWorld({ whileRunning: 'interrupt' }, 'news')
  const { registry, release } = await borrowRegistry(host.registry)
  onTestFinished(release)
  await chat.create()
  const other = await processes.start({
    kind: 'external',
    input: null,
    session: { sessionId: 'chat' },
    wakes: { 'process.cancel_requested': { input: { const: 'news' } } },
  })
  await other.cancel()
  await expect.poll(() => gate.arrivals, { timeout: 20_000 }).toBe(1)
  const second = await chat.send('second')
  const answered = await second.outcome()
  expect(answered).toMatchObject({
    status: 'completed',
    value: { turn: { answer: expect.stringMatching(/heard Background process wake.*news, second$/s) } },
  })
  const [{ delivery } = expect.fail('no wake')] = await registry.wakesOf(other.id)
  expect(await registry.awaitOutcome(delivery.wakeId)).toMatchObject({ status: 'cancelled' })
  expect((await chat.entries()).filter(({ turnId }) => turnId === delivery.wakeId)).toHaveLength(1)
})

test('interrupt: is made good by whoever says it again, when the first one died in the middle', async () => {
  const { host, chat, gate, startFirst } = await openWorld({ whileRunning: 'interrupt' })
  const first = await startFirst()
  const { registry } = host
  const open: typeof registry.open = async options => ({
    ...(await registry.open(options)),
    waitingInputs: () => Promise.reject(new Error('the client is gone')),
  })
  const dying = createProcessClient({ host: { ...host, registry: { ...registry, open } } })
  onTestFinished(() => dying[Symbol.asyncDispose]())
  await expect(dying.session('chat').send('second', { id: 'two' })).rejects.toThrow('the client is gone')
  const second = await chat.send('second', { id: 'two' })
  expect(second.started).toBe(false)
  expect(await first.outcome()).toMatchObject({ status: 'cancelled' })
  gate.open()
  expect(await second.outcome()).toMatchObject(answer('heard second'))
  // Once it is over it interrupts nobody any more.
  const third = await chat.send('third')
  await chat.send('second', { id: 'two' })
  expect(await third.outcome()).toMatchObject({ status: 'completed' })
})

test('a session that is made stands open for nobody, and one that is ended is no more', async () => {
  const { host, chat, gate } = await openWorld()
  const { registry, release } = await borrowRegistry(host.registry)
  onTestFinished(release)
  gate.open()
  await chat.create({ policy: { maxSteps: 3 } })
  expect(await registry.findSession('chat')).not.toHaveProperty('session.openFor')
  await (await chat.send('first')).outcome()
  expect(await chat.delete()).toBe(true)
  await expect(chat.entries()).rejects.toMatchObject({ code: 'session_unknown' })
  expect(await chat.delete()).toBe(false)
})

test('a closed session tells those that wait, lets its turn come to its end, and takes nothing new', async () => {
  const { chat, gate, startFirst } = await openWorld()
  const first = await startFirst()
  const second = await chat.send('second', { id: 'two' })
  await expect.poll(async () => (await second.describe()).waits.length, { timeout: 20_000 }).toBe(1)
  await chat.close()
  expect(await second.outcome()).toMatchObject({
    status: 'cancelled',
    message: expect.stringContaining('session "chat" was closed'),
  })
  await expect(chat.send('third')).rejects.toMatchObject({ code: 'session_closed' })
  expect(await chat.send('second', { id: 'two' })).toMatchObject({ started: false })
  gate.open()
  expect(await first.outcome()).toMatchObject(answer('heard first'))
  expect(await chat.entries()).toHaveLength(2)
  await chat.close()
  const fork = await chat.fork({ id: 'other' })
  expect(await (await fork.send('third')).outcome()).toMatchObject(answer('heard first, third'))
  expect(await chat.delete()).toBe(true)
  await expect(chat.close()).rejects.toMatchObject({ code: 'session_unknown' })
})

test('a turn that nobody told finds its session closed when it comes to it', async () => {
  const { host, chat, gate, startFirst } = await openWorld()
  const { registry, release } = await borrowRegistry(host.registry)
  onTestFinished(release)
  const first = await startFirst()
  const second = await chat.send('second')
  // As by a client that dies right after it.
  await registry.closeSession('chat')
  gate.open()
  expect(await first.outcome()).toMatchObject({ status: 'completed' })
  expect(await second.outcome()).toMatchObject({ status: 'failed', code: 'session_closed' })
})

test('reject: nothing is taken while a turn runs', async () => {
  const { chat, gate, startFirst } = await openWorld({ whileRunning: 'reject' })
  const first = await startFirst()
  await expect(chat.send('second')).rejects.toMatchObject({ code: 'session_busy' })
  gate.open()
  await first.outcome()
  expect(await (await chat.send('third')).outcome()).toMatchObject(answer('heard first, third'))
})

test('a fork goes on from an entry, and the session it came from does not hear of it', async () => {
  const { chat, gate } = await openWorld()
  gate.open()
  await (await chat.send('first')).outcome()
  await (await chat.send('second')).outcome()
  const fork = await chat.fork({ id: 'other', at: 2 })
  expect(await (await fork.send('third')).outcome()).toMatchObject(answer('heard first, third'))
  expect(await chat.entries()).toHaveLength(4)
})

test('a policy that no session knows is refused before anything is said', async () => {
  const { chat } = await openWorld()
  await expect(chat.create({ policy: { whileRunning: 'shout' } })).rejects.toMatchObject({
    code: 'process_env_invalid',
  })
  await expect(chat.entries()).rejects.toMatchObject({ code: 'session_unknown' })
})
