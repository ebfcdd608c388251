/**
 * A deep copy that nobody can change, so that a caller never shares state with the store. By way of JSON, because that
 * is what a durable store keeps: what would be lost there is lost here as well.
 */
export function frozenCopy<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_key, member: unknown) => Object.freeze(member)) as T
}
