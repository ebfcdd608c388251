import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hostIdOf, isProvablyDead, localLiveness } from '../../src/execution/liveness.ts'
import type { LeaseOwner, Liveness } from '../../src/model/lease.ts'
import { eventually } from '../support/eventually.ts'

const owner = (liveness: Liveness): LeaseOwner => ({ ownerId: 'o', incarnationId: 'o', liveness })
const FILE = { isOfOneMachine: true }
const NETWORK = { isOfOneMachine: false }
const OWN = owner(localLiveness(FILE))

function local(liveness: Liveness): Extract<Liveness, { kind: 'local_process' }> {
  if (liveness.kind === 'opaque') throw new Error('these tests need /proc')
  return liveness
}

async function startSleeper(): Promise<{
  child: ChildProcess
  them: Extract<Liveness, { kind: 'local_process' }>
}> {
  const script = fileURLToPath(new URL('sleeper.ts', import.meta.url))
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  if (child.stdout === null) throw new Error('a pipe was asked for')
  await once(child.stdout, 'data')
  return { child, them: local(localLiveness(FILE, child.pid)) }
}

test('this OS process is not dead, to itself', () => {
  expect(isProvablyDead(OWN, OWN)).toBe(false)
})

test('a process that runs is not dead; killed and gone, it is', async () => {
  const { child, them } = await startSleeper()
  expect(isProvablyDead(owner(them), OWN)).toBe(false)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(isProvablyDead(owner(them), OWN)).toBe(true)
})

test('a process that is stopped is not dead', async () => {
  const { child, them } = await startSleeper()
  child.kill('SIGSTOP')
  const state = () => readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ')[1]?.[0]
  await eventually(() => state() === 'T')
  expect(isProvablyDead(owner(them), OWN)).toBe(false)
})

test('a zombie, ended and not yet collected, is dead', async () => {
  // The shell's child ends at once, and the sleep that replaces the shell never collects it.
  const shell = spawn('/bin/sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void shell.kill('SIGKILL'))
  const [line] = await once(shell.stdout, 'data')
  const them = local(localLiveness(FILE, Number(String(line).trim())))
  const stat = () => readFileSync(`/proc/${them.pid}/stat`, 'latin1')
  await eventually(() => stat().includes(') Z '))
  expect(isProvablyDead(owner(them), OWN)).toBe(true)
})

test('a pid that another process bears now, by its start time, is dead (§6 #103)', () => {
  const reused = { ...local(OWN.liveness), processStart: '1' }
  expect(isProvablyDead(owner(reused), OWN)).toBe(true)
})

type Host = Omit<Parameters<typeof hostIdOf>[0], 'bootId'>

describe('a worker of another boot', () => {
  const machine: Host = { machineId: 'm', hostname: 'app', namespace: 'pid:[4026531836]', ...FILE }
  const reached: Host = { ...machine, ...NETWORK }
  const container: Host = { ...machine, namespace: 'pid:[4026532201]' }
  const nameless: Host = { ...machine, machineId: undefined }
  const at = (host: Host, bootId: string) =>
    owner({ ...local(OWN.liveness), hostId: hostIdOf({ ...host, bootId }), bootId })

  test.each<[string, Host, Host, boolean]>([
    ['of a machine that has the registry to itself is dead', machine, machine, true],
    ['where a clone of the machine may be at the registry, too, is not', reached, reached, false],
    ['in a container is not', container, container, false],
    ['of a machine without an id is not', nameless, nameless, false],
    ['of a machine of another name is not', { ...machine, hostname: 'other' }, machine, false],
    ['of another machine is not', { ...machine, machineId: 'other' }, machine, false],
  ])('%s', (_, theirs, ours, isDead) => {
    expect(isProvablyDead(at(theirs, 'one'), at(ours, 'two'))).toBe(isDead)
  })
})

test('who is at a registry that others reach is of a host that ends with its boot', () => {
  const { hostId, bootId } = local(localLiveness(NETWORK))
  expect(hostId).toContain(bootId)
})

test.each<[string, Liveness]>([
  ['on another host', { ...local(OWN.liveness), hostId: 'elsewhere', pid: 2 ** 22 + 1 }],
  ['on another host, after a boot', { ...local(OWN.liveness), hostId: 'elsewhere', bootId: 'another' }],
  ['that says nothing of itself', { kind: 'opaque' }],
])('an owner %s is never proven dead (§6 #102)', (_, liveness) => {
  expect(isProvablyDead(owner(liveness), OWN)).toBe(false)
  expect(isProvablyDead(OWN, owner(liveness))).toBe(false)
})

test('a pid that does not exist is dead', () => {
  expect(isProvablyDead(owner({ ...local(OWN.liveness), pid: 2 ** 22 + 1 }), OWN)).toBe(true)
})

test('a name with brackets and blanks in it does not confuse the reading', async () => {
  const shell = spawn('/bin/sh', ['-c', 'echo "odd) Z 1 (" > /proc/$$/comm; echo ready; read line'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void shell.kill('SIGKILL'))
  await once(shell.stdout, 'data')
  const them = local(localLiveness(FILE, shell.pid))
  expect(isProvablyDead(owner(them), OWN)).toBe(false)
})
