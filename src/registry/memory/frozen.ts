/**
 * A deep copy that nobody can change, so that a caller never shares state with the store. By way of JSON, because that
 * is what a durable store keeps: what would be lost there is lost here as well.
 */
export const frozenCopy = <T extends object>(value: T): T => parseFrozen(JSON.stringify(value)) as T

export const parseFrozen = (text: string): unknown =>
  JSON.parse(text, (_key, member: unknown) => Object.freeze(member))
