import { expect } from 'vitest'
import type { ApprovalRequest, Verdict } from '../../model/approval.ts'
import type { ProcessLease } from '../../model/lease.ts'
import { COMPLETED, TTL } from './fixtures.ts'
import { type Case, refused, unchanged, type World } from './harness.ts'

const USE = { operationId: 'op_1', tool: 'pay', argsDigest: 'digest', sessionId: 's' }

const request = (patch: Partial<ApprovalRequest> = {}): ApprovalRequest => ({
  callId: 'call-1',
  tool: 'pay',
  args: { euros: 5 },
  argsDigest: 'digest',
  sessionId: 's',
  approvers: 1,
  ...patch,
})

async function ask(
  { registry, start, register }: World,
  { id = 'p', untilMs, ...patch }: Partial<ApprovalRequest> & { id?: string; untilMs?: number } = {},
): Promise<ProcessLease> {
  const lease = await start(await register({ id }))
  const deadline = untilMs === undefined ? {} : { untilMs }
  await registry.requestApproval(lease, { key: id, approval: request(patch), ...deadline })
  return lease
}

const says = ({ registry }: World, by: string, verdict: Verdict, reason?: string) =>
  registry.vote('p', { by, verdict, ...(reason === undefined ? {} : { reason }) })

export function approvalCases(it: Case): void {
  it('what is asked stands in the log, and waits for somebody', async world => {
    const { registry, clock } = world
    await ask(world)
    const call = {
      key: 'p',
      processId: 'p',
      openedAtMs: clock.now(),
      approval: { ...request(), votes: [] },
    }
    expect(await registry.openApprovals()).toEqual([call])
    expect(await registry.openApprovals({ processId: 'p' })).toEqual([call])
    const [event] = (await registry.eventsAfter('p', 0)).slice(-1)
    expect(event).toMatchObject({
      eventType: 'process.approval_requested',
      payload: { key: 'p', callId: 'call-1', tool: 'pay', argsDigest: 'digest' },
    })
    // Arguments may be anybody's business but the log's.
    expect(event?.payload).not.toHaveProperty('args')
  })

  it('asked for again, after a crash, it is as it was, with what was said of it', async world => {
    const { registry, clock } = world
    await ask(world, { approvers: 2, untilMs: clock.now() + 9 * TTL })
    await says(world, 'ana', 'approve')
    clock.advance(TTL)
    const lease = await world.run('p')
    const again = await registry.requestApproval(lease, { key: 'p', approval: request({ approvers: 2 }) })
    expect(again).toMatchObject({
      untilMs: clock.now() + 8 * TTL,
      approval: { votes: [{ by: 'ana', verdict: 'approve', atMs: clock.now() - TTL }] },
    })
    const asked = (await registry.eventsAfter('p', 0)).filter(({ eventType }) =>
      eventType.endsWith('approval_requested'),
    )
    expect(asked).toHaveLength(1)
  })

  it('a yes answers it, and the call may then be made, once', async world => {
    const { registry } = world
    const lease = await ask(world)
    expect(await says(world, 'ana', 'approve')).toMatchObject({ type: 'answered', isDue: false })
    expect(await registry.pendingCall('p')).toMatchObject({
      answer: { status: 'success', value: { approvedBy: ['ana'] } },
    })
    expect(await registry.openApprovals()).toEqual([])
    expect(await registry.useApproval(lease, 'p', USE)).toEqual({ type: 'granted' })
    expect(await registry.useApproval(lease, 'p', USE)).toEqual({ type: 'granted' })
    expect(await registry.useApproval(lease, 'p', { ...USE, operationId: 'op_2' })).toEqual({
      type: 'refused',
      reason: 'its approval was used already',
    })
  })

  it('several people must say yes where several are needed, each of them once', async world => {
    const { registry } = world
    const lease = await ask(world, { approvers: 2 })
    await says(world, 'ana', 'approve')
    await unchanged(world, 'p', async () => {
      expect(await says(world, 'ana', 'approve')).toMatchObject({ type: 'replayed' })
    })
    expect(await registry.useApproval(lease, 'p', USE)).toMatchObject({ type: 'refused' })
    expect(await registry.pendingCall('p')).not.toHaveProperty('answer')
    await says(world, 'ben', 'approve')
    expect(await registry.pendingCall('p')).toMatchObject({
      answer: { value: { approvedBy: ['ana', 'ben'] } },
    })
    expect(await registry.useApproval(lease, 'p', USE)).toEqual({ type: 'granted' })
  })

  it('of many votes at once, each counts once', async world => {
    const { registry } = world
    await ask(world, { approvers: 3 })
    await Promise.all(['ana', 'ben', 'cai', 'ana'].map(by => says(world, by, 'approve').catch(() => {})))
    const { approval, answer } = (await registry.pendingCall('p')) ?? {}
    expect(approval?.votes.map(({ by }) => by).sort()).toEqual(['ana', 'ben', 'cai'])
    expect(answer).toMatchObject({ status: 'success' })
  })

  it('one no is enough, and stays', async world => {
    const { registry } = world
    const lease = await ask(world, { approvers: 2 })
    await says(world, 'ana', 'approve')
    await says(world, 'ben', 'deny', 'too much')
    expect(await registry.pendingCall('p')).toMatchObject({
      answer: { status: 'failure', message: 'denied by ben: too much' },
    })
    await refused(says(world, 'cai', 'approve'), 'tool_call_answered')
    await refused(says(world, 'ben', 'approve'), 'tool_call_answered')
    expect(await registry.useApproval(lease, 'p', USE)).toMatchObject({ type: 'refused' })
  })

  it('a yes is taken back by a no until the call is made, and not after', async world => {
    const { registry } = world
    const lease = await ask(world)
    await says(world, 'ana', 'approve')
    await says(world, 'ana', 'deny')
    expect(await registry.useApproval(lease, 'p', USE)).toEqual({
      type: 'refused',
      reason: 'it was denied by ana',
    })
    const other = await ask(world, { id: 'q' })
    await registry.vote('q', { by: 'ana', verdict: 'approve' })
    await registry.useApproval(other, 'q', USE)
    await refused(registry.vote('q', { by: 'ben', verdict: 'deny' }), 'tool_call_answered')
  })

  it('a yes holds for this tool, these arguments and this session, and as long as it is good', async world => {
    const { registry, clock } = world
    const lease = await ask(world, { validForMs: 10 })
    await refused(
      registry.vote('p', { by: 'ana', verdict: 'approve', argsDigest: 'another' }),
      'approval_mismatch',
    )
    await registry.vote('p', { by: 'ana', verdict: 'approve', argsDigest: 'digest' })
    for (const [other, what] of [
      [{ argsDigest: 'another' }, 'other arguments'],
      [{ tool: 'other' }, 'another tool'],
      [{ sessionId: 'other' }, 'another session'],
    ] as const) {
      expect(await registry.useApproval(lease, 'p', { ...USE, ...other })).toEqual({
        type: 'refused',
        reason: `it was approved for ${what}`,
      })
    }
    expect(await registry.pendingCall('p')).not.toHaveProperty('approval.used')
    clock.advance(11)
    expect(await registry.useApproval(lease, 'p', USE)).toMatchObject({ type: 'refused' })
  })

  it('no word is taken after the deadline, of nobody, of an ended process, or by other means', async world => {
    const { registry, clock } = world
    const lease = await ask(world, { untilMs: clock.now() + 10 })
    await refused(registry.vote('p', { by: ' ', verdict: 'approve' }), 'usage')
    await refused(registry.vote('other', { by: 'ana', verdict: 'approve' }), 'tool_call_unknown')
    await refused(registry.completeToolCall('p', { status: 'success', value: null }), 'usage')
    clock.advance(11)
    await refused(says(world, 'ana', 'approve'), 'tool_call_expired')
    await registry.completeWithLease(lease, COMPLETED)
    await refused(says(world, 'ana', 'deny'), 'process_already_terminal')
    expect(await registry.openApprovals()).toEqual([])
  })

  it('a process that is parked for it is due with the vote that settles it, and not before', async world => {
    const { registry, clock } = world
    const lease = await ask(world, { approvers: 2 })
    const wait = { key: 'w', sinceMs: clock.now(), on: { type: 'external_key', key: 'p' } } as const
    expect(await registry.park(lease, [wait])).toEqual({ type: 'parked' })
    expect(await says(world, 'ana', 'approve')).toMatchObject({ isDue: false })
    expect(await world.due()).toEqual([])
    expect(await says(world, 'ben', 'approve')).toMatchObject({ isDue: true })
    expect(await world.due()).toEqual(['p'])
  })

  it('nobody asks or uses under a lease that is gone, or uses what another was given', async world => {
    const { registry, clock } = world
    const lease = await ask(world)
    await says(world, 'ana', 'approve')
    const other = await world.run(await world.register({ id: 'q' }))
    await refused(registry.useApproval(other, 'p', USE), 'tool_call_unknown')
    clock.advance(TTL)
    await refused(registry.useApproval(lease, 'p', USE), 'process_lease_lost')
    await refused(registry.requestApproval(lease, { key: 'z', approval: request() }), 'process_lease_lost')
  })

  for (const approvers of [0, 21, 1.5]) {
    it(`nobody asks for ${approvers} people`, async world => {
      const lease = await world.start(await world.register())
      const approval = request({ approvers })
      await refused(world.registry.requestApproval(lease, { key: 'k', approval }), 'usage')
    })
  }
}
