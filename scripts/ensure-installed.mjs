// Runs before start, test, check and bench, under whatever Node the machine has: installs the dependencies
// (Node 24 among them) when they are missing or older than the lock file, and otherwise costs a few milliseconds.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const lock = join(root, 'package-lock.json')
const installed = join(root, 'node_modules', '.package-lock.json') // npm writes it last, so it marks a whole install
const node = join(root, 'node_modules', '.bin', 'node')

const isCurrent =
  existsSync(installed) && existsSync(node) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs
if (!isCurrent) {
  console.log('Installing dependencies (npm ci) …')
  const npm = spawnSync('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
  })
  if (npm.status !== 0) {
    console.error(
      'error: install_failed: npm ci did not succeed. Check that the package registry can be reached, then run the command again.',
    )
    process.exit(npm.status ?? 1)
  }
}
