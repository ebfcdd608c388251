// Packs the package as a user would get it, lays it into an empty folder beside our installed dependencies, and uses it:
// every entry is imported, and the command line answers. Catches files that the package forgets and paths that only
// exist in the checkout.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const folder = mkdtempSync(join(tmpdir(), 'leasehold-package-'))
const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

try {
  run('npm', ['pack', '--pack-destination', folder, '--loglevel=error'], root)
  const [tarball] = readdirSync(folder).filter(name => name.endsWith('.tgz'))
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, 'leasehold'), { recursive: true })
  run(
    'tar',
    ['-xzf', join(folder, tarball), '-C', join(modules, 'leasehold'), '--strip-components=1'],
    folder,
  )
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  const node = join(root, 'node_modules', '.bin', 'node')
  const imports =
    "const all = await Promise.all([import('leasehold'), import('leasehold/testing')]); console.log(all.map(m => Object.keys(m).length).join(' and '))"
  console.log(`exports: ${run(node, ['--input-type=module', '-e', imports], folder).trim()}`)
  console.log(
    `command: ${run(node, [join(modules, 'leasehold', 'dist', 'cli', 'main.js'), '--version'], folder).trim()}`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
