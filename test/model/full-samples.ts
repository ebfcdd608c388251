import type { Outcome } from '../../src/model/outcome.ts'
import type { RegistrationRequest } from '../../src/model/registration.ts'
import { NOW, owner, record, registration } from './fixtures.ts'

/** Every optional member set, and one input of each kind. */
export const REGISTRATIONS: readonly RegistrationRequest[] = [
  registration({
    input: {
      type: 'tool_call',
      call: { callId: 'c', toolId: 'i', toolName: 'search', args: null, replay: [1], prepared: { a: 1 } },
    },
    identity: { kind: 'tool', label: 'l', definition: { version: 1 } },
    eventTypes: [
      { name: 'note', payloadSchema: { type: 'object' } },
      {
        name: 'ended',
        payloadSchema: true,
        semantics: {
          terminal: { state: 'failed', awaitOutput: { pointer: '/error' } },
          wake: {
            when: { present: '/text' },
            input: { template: '{a}: {b}', fields: { a: 'payload', b: { const: [1] } } },
            dedupeKey: { selector: { pointer: '/id' } },
          },
        },
      },
      {
        name: 'woke',
        payloadSchema: true,
        semantics: { wake: { input: 'payload', dedupeKey: { const: 'k' } } },
      },
      {
        name: 'told',
        payloadSchema: true,
        semantics: { wake: { input: 'payload', dedupeKey: 'event_identity' } },
      },
    ],
    provenance: {
      originator: { type: 'session', scope: { sessionId: 's', agentFrameId: 'f' } },
      causedBy: {
        type: 'trigger_occurrence',
        occurrenceId: 'o',
        subscriptionId: 'u',
        subscriptionIncarnation: 'i',
        subscriptionRevision: 3,
      },
      hostProfileId: 'laptop',
    },
    wakeTarget: { sessionId: 's' },
    maxAttempts: 3,
    flow: {
      concurrency: { key: 'k', limit: 2 },
      rate: { key: 'r', limit: 2, periodMs: 3, burst: 1 },
      priority: 1,
      fairness: { key: 'f', weight: 0.5 },
    },
  }),
  registration({
    input: {
      type: 'session_turn',
      createRequest: {
        sessionId: 's',
        policy: { model: 'm' },
        pluginOptions: { plugin: { on: true } },
        subagent: { capability: 'c' },
        usageSource: 'u',
        causedBy: { type: 'session_node', sessionId: 's', nodeId: 'n' },
      },
      turnInput: [],
      outputContract: { type: 'string' },
    },
    provenance: { originator: { type: 'host', scope: 'cron' } },
  }),
  registration({ input: { type: 'external', metadata: { label: 'a form' } } }),
  registration(),
]

const OUTCOMES: readonly Outcome[] = [
  { status: 'completed', value: null },
  { status: 'failed', class: 'resource_limit', code: 'c', message: 'm', raw: [1] },
  { status: 'cancelled', message: 'm', raw: null },
  { status: 'abandoned', evidence: { writer: 'sweep', owner: owner('ana'), epochMs: NOW } },
  { status: 'abandoned', evidence: { writer: 'engine_gave_up', epochMs: NOW } },
]
const opaque = { ...owner('ben'), liveness: { kind: 'opaque' } } as const

/** Every optional member set in one of them, and each outcome in another. */
export const RECORDS = [
  record(),
  record({
    wakeTarget: { sessionId: 's', agentFrameId: 'f' },
    maxAttempts: 3,
    externalRef: { backend: 'temporal', id: 'w', metadata: { namespace: 'default' } },
    firstStarted: { owner: opaque, attempt: 'a', fence: 1, startedAtMs: NOW },
    cancelRequest: { requestedAtMs: NOW, reason: 'enough' },
    abandonRequest: { requestedBy: 'ana', requestedAtMs: NOW, reason: 'gone' },
    waits: [
      { key: 'nap', sinceMs: NOW, untilMs: NOW + 5, on: { type: 'timer' } },
      { key: 'open', sinceMs: NOW, on: { type: 'timer' } },
      { key: 'go', sinceMs: NOW, on: { type: 'signal', name: 'go' }, satisfiedAtMs: NOW },
      { key: 'child', sinceMs: NOW, on: { type: 'process', processId: 'child' } },
      { key: 'news', sinceMs: NOW, on: { type: 'event', processId: 'child', eventType: 'news', after: 2 } },
      { key: 'step', sinceMs: NOW, on: { type: 'unknown_step', step: 'charge[1]' } },
      { key: 'answer', sinceMs: NOW, on: { type: 'external_key', key: 'k' } },
    ],
    silentSinceMs: NOW,
    flow: { concurrency: { key: 'k', limit: 2 } },
    turn: { on: 'concurrency', key: 'k', sinceMs: NOW, atMs: NOW },
  }),
  ...OUTCOMES.map(outcome => record({ status: outcome.status, outcome })),
]
