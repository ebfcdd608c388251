import { type Check, ok, warn } from './check.ts'

/** From here on Node loads TypeScript modules without a flag. */
const STRIPS_TYPES = [22, 18] as const

export function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isRecent = major > STRIPS_TYPES[0] || (major === STRIPS_TYPES[0] && minor >= STRIPS_TYPES[1])
  return isRecent
    ? ok('node', process.versions.node)
    : warn(
        'node',
        process.versions.node,
        'It loads no TypeScript host module; upgrade to 22.18 or newer, or compile the module.',
      )
}
