type Present<T> = { readonly [K in keyof T]?: NonNullable<T[K]> }

/** SQL's null is an absent member. */
export function present<T extends object>(members: T): Present<T> {
  const found: { [name: string]: unknown } = {}
  // Most are null. A list of them all, as pairs, would be most of what a row costs to decode.
  for (const name in members) if (members[name] !== null) found[name] = members[name]
  return found as Present<T>
}
