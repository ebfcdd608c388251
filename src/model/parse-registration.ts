import {
  type Decoder,
  json,
  jsonObject,
  list,
  number,
  object,
  oneOf,
  optional,
  Place,
  text,
  variants,
  wholeNumber,
} from './decode.ts'
import type { Flow } from './flow.ts'
import { eventType } from './parse-event-type.ts'
import {
  DISPOSITIONS,
  type PreparedToolCall,
  type ProcessIdentity,
  type ProcessInput,
  type SessionCreateRequest,
} from './process.ts'
import type { CausalRef, Originator, Provenance } from './provenance.ts'
import type { RegistrationRequest } from './registration.ts'
import type { SessionScope } from './session-scope.ts'

/**
 * Takes a registration from untyped input. A field that is not known is refused by name: it would be part of what
 * somebody asked for and of nothing that is stored. What the values mean is `completeRegistration`'s to check.
 */
export const parseRegistration = (input: unknown): RegistrationRequest =>
  registration(input, new Place('registration', 'process_registration_invalid'))

const disposition = oneOf(DISPOSITIONS, '; there is no default')

const sessionScope = object<SessionScope>({ sessionId: text, agentFrameId: optional(text) })

const originator = variants<'type', Originator>('type', {
  host: { scope: optional(text) },
  session: { scope: sessionScope },
})

const causalRef = variants<'type', CausalRef>('type', {
  turn: { sessionId: text, turnId: text },
  effect: { sessionId: text, turnId: optional(text), effectId: text },
  tool_call: { sessionId: text, callId: text },
  process: { processId: text },
  process_event: { processId: text, sequence: wholeNumber },
  trigger_occurrence: {
    occurrenceId: text,
    subscriptionId: optional(text),
    subscriptionIncarnation: optional(text),
    subscriptionRevision: optional(wholeNumber),
  },
  session_node: { sessionId: text, nodeId: text },
})

const provenance = object<Provenance>({
  originator,
  causedBy: optional(causalRef),
  hostProfileId: optional(text),
})

const preparedToolCall = object<PreparedToolCall>({
  callId: text,
  toolId: optional(text),
  toolName: text,
  args: json,
  replay: optional(json),
  prepared: optional(json),
})

const sessionCreateRequest = object<SessionCreateRequest>({
  sessionId: optional(text),
  policy: optional(jsonObject),
  pluginOptions: optional(jsonObject),
  subagent: optional(object<NonNullable<SessionCreateRequest['subagent']>>({ capability: optional(text) })),
  usageSource: optional(text),
  causedBy: optional(causalRef),
})

const processInput: Decoder<ProcessInput> = variants<'type', ProcessInput>('type', {
  tool_call: { call: preparedToolCall },
  engine: { kind: text, payload: json },
  session_turn: {
    createRequest: sessionCreateRequest,
    turnInput: json,
    outputContract: json,
  },
  external: { metadata: json },
})

const identity = object<ProcessIdentity>({
  kind: text,
  label: optional(text),
  definition: optional(json),
})

const eventTypes = list(eventType)

const flow = object<Flow>({
  concurrency: optional(object<NonNullable<Flow['concurrency']>>({ key: text, limit: wholeNumber })),
  rate: optional(
    object<NonNullable<Flow['rate']>>({
      key: text,
      limit: wholeNumber,
      periodMs: wholeNumber,
      burst: optional(wholeNumber),
    }),
  ),
  priority: optional(wholeNumber),
  fairness: optional(object<NonNullable<Flow['fairness']>>({ key: text, weight: optional(number) })),
})

const registration = object<RegistrationRequest>({
  id: text,
  input: processInput,
  disposition,
  identity: optional(identity),
  eventTypes: optional(eventTypes),
  provenance,
  envRef: optional(text),
  wakeTarget: optional(sessionScope),
  maxAttempts: optional(wholeNumber),
  flow: optional(flow),
})
