import { setTimeout as pause } from 'node:timers/promises'
import { createProcessClient, type Outcome, type ProcessClient, StreamView } from '../../src/index.ts'
import { isLeaseholdError } from '../../src/model/errors.ts'
import { borrowRegistry } from '../../src/runtime/open-registry.ts'
import { matrixHost } from './host.ts'
import { promptFor } from './model.ts'
import { idOf, PLACES } from './places.ts'
import { actNamed, CHANNEL, SHAPES, type Shape } from './tools.ts'
import { type Turn, violationsOf } from './verdict.ts'
import type { WorkerOptions } from './worker.ts'
import { Workers } from './workers.ts'
import { OutsideWorld } from './world.ts'

export interface MatrixOptions extends WorkerOptions {
  /** Workers that die in all, at places and at random. */
  readonly kills: number
  readonly seed: number
  /** Milliseconds until all processes must have ended. */
  readonly limitMs: number
  readonly say?: (line: string) => void
}

export interface MatrixRow {
  readonly place: string
  readonly shape: Shape
  readonly processes: number
  readonly deaths: number
  readonly effects: number
  /** What the models were told of the call. */
  readonly told: Readonly<Record<string, number>>
}

export interface MatrixReport {
  readonly rows: readonly MatrixRow[]
  readonly deaths: number
  readonly processes: number
  /** Of all processes together: how often a death met one that went on after it. */
  readonly attempts: number
  readonly violations: readonly string[]
}

const WORKERS = 3
/** By the loop whose turns they are: the AI SDK's, over durable models and tools, and that of sessions. */
const LOOPS = ['turn', 'session_turn'] as const
type Loop = (typeof LOOPS)[number]
const RANDOM = {
  turn: 'anywhere, at random',
  session_turn: 'anywhere in a session’s turn, at random',
} as const satisfies Record<Loop, string>
/** Turns that go to their places together. A worker takes two of them, so that a death meets few that had their own just now. */
const AT_ONCE = 8
/** How often a place is gone to that nobody has died at. */
const ROUNDS = 5
/** How long people take to say yes: long enough for a process to be parked for it. */
const PEOPLE_MS = 200
/** Within what time of having been seen at work a worker dies at random: about as long as a turn takes. */
const LONGEST_PAUSE_MS = 150

/** One process for each place and shape, whose worker dies there; then workers that die at any time, over many turns. */
export async function runMatrix(options: MatrixOptions): Promise<MatrixReport> {
  const { registry: address, folder, temporal, kills, limitMs, say = () => {} } = options
  const world = new OutsideWorld(folder)
  const host = matrixHost(address, world)
  const server = temporal === undefined ? undefined : await connectTo(temporal)
  const processes = createProcessClient({ host, ...(server && { temporal: server.temporal }) })
  const { registry, release } = await borrowRegistry(host.registry)
  const over = new AbortController()
  const answering = answer(processes, world, over.signal)
  const limit = AbortSignal.timeout(limitMs)
  const started: { readonly id: string; readonly shape: Shape; readonly place: string }[] = []
  const start = async (id: string, shape: Shape, place: string, loop: Loop = 'turn') => {
    started.push({ id, shape, place })
    if (loop === 'turn') return processes.start({ id, kind: 'turn', input: { shape } })
    const act = actNamed(shape)
    const session = { sessionId: id, policy: { tools: ['look', 'say', act] } }
    const input = { prompt: promptFor(id, act), session }
    return processes.start({ id, kind: 'session_turn', disposition: 'rerunnable', input })
  }
  const lost: string[] = []
  const waitFor = async (ids: readonly string[]) => {
    await Promise.all(
      ids.map(id =>
        processes
          .handle(id)
          .outcome({ signal: limit })
          .catch(() => lost.push(id)),
      ),
    )
  }
  try {
    await using workers = new Workers(
      { registry: address, folder, ...(temporal === undefined ? {} : { temporal }) },
      WORKERS,
    )
    // A process whose worker died for another one may never come to its own place again: then another one goes there.
    let missing = PLACES.flatMap(({ name, shapes }, index) =>
      shapes.map(shape => ({ name, shape, index })),
    ).slice(0, kills)
    for (let round = 0; missing.length > 0 && round < ROUNDS; round++) {
      for (let at = 0; at < missing.length; at += AT_ONCE) {
        const wave = missing.slice(at, at + AT_ONCE)
        const ids = wave.map(({ index, shape }) => idOf(round, index, shape))
        for (const [nth, { name, shape }] of wave.entries()) await start(ids[nth] ?? '', shape, name)
        await waitFor(ids)
      }
      const died = new Set(world.notes().flatMap(({ what, id }) => (what === 'died' ? [id] : [])))
      missing = missing.filter(({ index, shape }) => !died.has(idOf(round, index, shape)))
    }
    say(`${workers.deaths} workers died at their places`)

    const chance = seeded(options.seed)
    const ids: string[] = []
    // One more turn for each death: those that it meets wait a while before they go on, longer with each one.
    while (workers.deaths < kills && !limit.aborted) {
      const id = `random.${ids.length}`
      const loop = LOOPS[ids.length % LOOPS.length] ?? 'turn'
      const shape = SHAPES[Math.floor(ids.length / LOOPS.length) % SHAPES.length] ?? 'once'
      await start(id, shape, RANDOM[loop], loop)
      ids.push(id)
      await workers.killOne(Math.floor(chance() * WORKERS), Math.floor(chance() * LONGEST_PAUSE_MS))
    }
    await waitFor(ids)
    say(`${workers.deaths} of ${kills} workers died, ${started.length} processes ended`)
    const turns = await Promise.all(
      started
        .filter(({ id }) => !lost.includes(id))
        .map(async ({ id, shape }): Promise<Turn> => {
          const events = await registry.eventsAfter(id, 0)
          const outcome = await processes.handle(id).outcome()
          const terminals = events.filter(({ semantics }) => semantics?.terminal !== undefined).length
          const { attempts, input } = await processes.handle(id).describe()
          const view = new StreamView()
          for await (const entry of processes.handle(id).stream(CHANNEL)) view.apply(entry)
          const said = view.deltas.map(({ data }) => data)
          const isOfSession = input.type === 'session_turn'
          const told = toldIn(outcome, isOfSession)
          const effects = await registry.effects(id)
          const turn = { id, shape, outcome, terminals, attempts, effects, told, said }
          return isOfSession ? { ...turn, messages: (await processes.session(id).entries()).length } : turn
        }),
    )
    const notes = Map.groupBy(world.notes(), ({ id }) => id)
    const violations = [
      ...lost.map(id => `${id}: lost: it has not ended`),
      ...turns.flatMap(turn => violationsOf(turn, notes.get(turn.id) ?? [])),
    ]
    const rows = [...Map.groupBy(started, ({ place, shape }) => `${place}\u0000${shape}`).values()].map(
      group => rowOf(group, turns, notes),
    )
    const missed = rows.filter(({ place, deaths }) => !place.startsWith('anywhere') && deaths === 0)
    return {
      rows,
      deaths: workers.deaths,
      processes: started.length,
      attempts: turns.reduce((sum, { attempts }) => sum + attempts, 0),
      violations: [
        ...violations,
        ...missed.map(({ place, shape }) => `${place}, ${shape}: nobody died there`),
      ],
    }
  } finally {
    over.abort()
    await answering
    await processes[Symbol.asyncDispose]()
    await server?.close()
    await release()
  }
}

function rowOf(
  group: readonly { readonly id: string; readonly shape: Shape; readonly place: string }[],
  turns: readonly Turn[],
  notes: ReadonlyMap<string, readonly { readonly what: string }[]>,
): MatrixRow {
  const ids = new Set(group.map(({ id }) => id))
  const noted = [...ids].flatMap(id => notes.get(id) ?? [])
  const told: Record<string, number> = {}
  for (const turn of turns) {
    if (!ids.has(turn.id)) continue
    const word = turn.outcome.status === 'completed' ? turn.told : turn.outcome.status
    told[word] = (told[word] ?? 0) + 1
  }
  const [{ place, shape } = { place: '', shape: 'once' as const }] = group
  const count = (what: string) => noted.filter(note => note.what === what).length
  return { place, shape, processes: ids.size, deaths: count('died'), effects: count('effect'), told }
}

/** What the model said in the end: a turn of a session has it in its result. */
function toldIn(outcome: Outcome, isOfSession: boolean): string {
  if (outcome.status !== 'completed') return ''
  return String(isOfSession ? Object(outcome.value).turn?.answer : outcome.value)
}

/** Says yes to whatever waits for it, and gives the results that were left pending. */
async function answer(
  processes: Pick<ProcessClient, 'approvals' | 'answerApproval' | 'completeToolCall'>,
  world: OutsideWorld,
  signal: AbortSignal,
): Promise<void> {
  const answered = new Set<string>()
  while (!signal.aborted) {
    for (const { processId, key, openedAtMs } of await processes.approvals()) {
      if (Date.now() - openedAtMs < PEOPLE_MS) continue
      await processes.answerApproval(processId, key, { by: 'the matrix', verdict: 'approve' }).catch(() => {})
    }
    for (const key of world.opened()) {
      if (answered.has(key)) continue
      await processes
        .completeToolCall(key, { status: 'success', value: 'acted' })
        .catch(error => {
          // Of a call that nobody waits for any more it comes too late; anything else is tried again.
          if (!isLeaseholdError(error, 'process_already_terminal')) throw error
        })
        .then(
          () => answered.add(key),
          () => {},
        )
    }
    await pause(50, undefined, { signal }).catch(() => {})
  }
}

async function connectTo(address: string) {
  const { Client, Connection } = await import('@temporalio/client')
  const connection = await Connection.connect({ address })
  return { temporal: new Client({ connection }), close: () => connection.close() }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
