import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The path of a script of this folder that runs as its own process: `.ts` in a checkout, `.js` when built. */
export function siblingScript(name: string): string {
  const here = fileURLToPath(import.meta.url)
  return fileURLToPath(new URL(`./${name}${extname(here)}`, import.meta.url))
}
