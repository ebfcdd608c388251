type Present<T> = { readonly [K in keyof T]?: NonNullable<T[K]> }

/** SQL's null is an absent member. */
export function present<T extends object>(members: T): Present<T> {
  const found: { [name: string]: unknown } = {}
  for (const [name, value] of Object.entries(members)) if (value !== null) found[name] = value
  return found as Present<T>
}
