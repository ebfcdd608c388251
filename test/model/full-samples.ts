import type { RegistrationRequest } from '../../src/model/registration.ts'
import { registration } from './fixtures.ts'

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
