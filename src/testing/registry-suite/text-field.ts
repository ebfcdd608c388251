import type { ErrorCode } from '../../model/errors.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { Json } from '../../model/json.ts'
import type { LeaseOwner } from '../../model/lease.ts'
import type { World } from './harness.ts'

/** What has made strings come back as others, or not at all, or as something to be run. */
export const TEXTS = {
  NUL: 'a\u0000b',
  controls: '\u0001\u0002\t\r\n\u007f',
  'a lone high surrogate': 'a\ud800',
  'a lone low surrogate': '\udc00b',
  'four bytes': '𝄞🦊',
  'not composed': 'e\u0301 é ﬁ',
  'right to left': '\u202eabc\u2066\u200f',
  'a byte order mark': '\ufeffa\ufeff',
  'quotes and escapes': `'"\`\\\\' \\u0000`,
  SQL: `'); drop table processes; -- $1 ? :id %s`,
  wildcards: '%_*?[a]',
  'spaces around': ' a ',
  'a name of every object': '__proto__',
  'a name of its class': 'constructor',
} as const

export type TextName = keyof typeof TEXTS

/** Half of a character: there is no UTF-8 for it. */
export const ILL_FORMED = ['a lone high surrogate', 'a lone low surrogate'] as const

export interface TextField {
  /**
   * Puts the text where the field's name says and gives back what is found there then, in every place where it is
   * found: all of it must be the text. `id` is a running process of its own for each text.
   */
  readonly probe: (world: World, id: ProcessId, text: string) => Promise<readonly unknown[]>
  /** Texts that the field does not take, by the code of their refusal. Default: it takes all. */
  readonly refused?: Partial<Record<ErrorCode, readonly TextName[]>>
  /**
   * It is a key of its own, outside of JSON: a store that cannot hold half of a character refuses it (`usage`), because
   * it would find another key, or none. Default: false.
   */
  readonly isKey?: boolean
}

/** An object with a member of this name: assigned, it might be the object's prototype instead. */
export const named = <T>(name: string, value: T): { readonly [name: string]: T } =>
  Object.fromEntries([[name, value]])

export const member = (value: Json | undefined, name: string): Json | undefined =>
  Reflect.get(Object(value), name)

export const ownerOf = (text: string): LeaseOwner => ({
  ownerId: text,
  incarnationId: text,
  liveness: { kind: 'local_process', hostId: text, bootId: text, pid: 7, processStart: text },
})

export const textsOf = ({ ownerId, incarnationId, liveness }: LeaseOwner): readonly unknown[] =>
  liveness.kind === 'opaque'
    ? [ownerId, incarnationId]
    : [ownerId, incarnationId, liveness.hostId, liveness.bootId, liveness.processStart]
