/** A member that no type has. */
export const UNHEARD_OF = 'unheardOf'

/** The value again for each object in it, with a member more there that nobody knows, and where that is. */
export function* withUnheardOf(value: unknown, path = ''): Generator<{ at: string; value: unknown }> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield { at: path, value: { ...value, [UNHEARD_OF]: 1 } }
  for (const [name, member] of Object.entries(value)) {
    const place = Array.isArray(value) ? `${path}[]` : path === '' ? name : `${path}.${name}`
    for (const inner of withUnheardOf(member, place)) {
      const copy = Array.isArray(value) ? [...value] : { ...value }
      Reflect.set(copy, name, inner.value)
      yield { at: inner.at, value: copy }
    }
  }
}
