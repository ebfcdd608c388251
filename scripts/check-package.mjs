// Packs the package as a user would get it, installs it into an empty folder, and uses it there: its types and entries are
// judged, a host module of ten lines is checked and run by `npx leasehold dev`. Catches what the package forgets, what it
// takes from development only, and paths that only exist in the checkout. Reports its size and what it depends on.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const HOST = `import { defineEngine, defineHost, sqliteRegistry } from 'leasehold'

export default defineHost({
  registry: sqliteRegistry({ path: 'data/leasehold.db' }),
  engines: {
    greet: defineEngine({
      disposition: 'rerunnable',
      run: ctx => ctx.step('greet', () => 'hello from the package'),
    }),
  },
})
`
// The suite for stores runs in vitest, which its users bring; the workflow runs in Temporal's sandbox.
const IMPORTS = `
const names = Object.keys(await import('leasehold'))
for (const entry of ['testing', 'workflows', 'package.json']) import.meta.resolve('leasehold/' + entry)
console.log(names.length + ' names')`
const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2024',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  },
  files: ['host.ts'],
}
/** A server may have to be built before the first start. */
const READY_WITHIN_MS = 15 * 60_000

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const bin = join(root, 'node_modules', '.bin')
const folder = mkdtempSync(join(tmpdir(), 'leasehold-package-'))
const app = join(folder, 'app')
// Node 24 is a development dependency, so it comes first for whatever is started here.
const PATH = [bin, process.env.PATH].join(delimiter)
const run = (command, args, { cwd = app, env = { ...process.env, PATH } } = {}) =>
  execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

try {
  run('npm', ['pack', '--pack-destination', folder, '--loglevel=error'], { cwd: root })
  const tarball = join(folder, readdirSync(folder).find(name => name.endsWith('.tgz')) ?? '')
  run('publint', ['run', tarball, '--strict'], { cwd: root })
  run('attw', [tarball, '--profile', 'esm-only', '--format', 'ascii'], { cwd: root })
  console.log('publint, attw: clean')

  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(app, 'host.ts'), HOST)
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  copyFileSync(join(root, '.npmrc'), join(app, '.npmrc'))
  run('npm', ['install', '--prefer-offline', '--loglevel=error', tarball])
  console.log(`installed: ${sizes(tarball)}`)
  console.log(`exports: ${run('node', ['--input-type=module', '-e', IMPORTS]).trim()}`)
  run('tsc', ['-p', app])
  await useIt()
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
}

/** The one command that a newcomer gives, and a process that it runs. */
async function useIt() {
  const { findTemporalServer } = await import(join(root, 'dist', 'dev-server', 'index.js'))
  const { path } = await findTemporalServer({
    env: process.env,
    cacheDir: join(process.env.XDG_CACHE_HOME || join(process.env.HOME ?? '', '.cache'), 'leasehold'),
    onProgress: line => console.log(line),
  })
  const { TEMPORAL_ADDRESS: _, ...inherited } = process.env
  const env = {
    ...inherited,
    PATH,
    TEMPORAL_CLI_PATH: path,
    LEASEHOLD_HOST: 'host.ts',
    // Its own, so that the workflow's code is bundled from the package.
    XDG_CACHE_HOME: join(folder, 'cache'),
    // Where a user's own temporal.toml would be.
    XDG_CONFIG_HOME: folder,
  }
  const dev = spawn('npx', ['--no', 'leasehold', 'dev', '--json'], {
    cwd: app,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(dev, 'close')
  const timer = setTimeout(() => dev.pid && process.kill(-dev.pid, 'SIGKILL'), READY_WITHIN_MS)
  try {
    const { temporal } = await readyOf(dev)
    const start = ['--no', 'leasehold', 'start', 'greet', '--wait', '--json']
    const answer = run('npx', start, { env: { ...env, TEMPORAL_ADDRESS: temporal.address } })
    const { status, outcome } = JSON.parse(answer)
    if (status !== 'completed') throw new Error(`the process of the package ended as ${answer}`)
    console.log(`npx leasehold dev: ${status}, ${JSON.stringify(outcome.value)}`)
    const [bundle] = readdirSync(join(folder, 'cache', 'leasehold')).filter(name => name.endsWith('.js'))
    console.log(`bundle: ${bundle}`)
  } finally {
    // As Ctrl-C in a terminal does: to all of it.
    if (dev.pid !== undefined && dev.exitCode === null) process.kill(-dev.pid, 'SIGINT')
    await closed
    clearTimeout(timer)
  }
}

async function readyOf(dev) {
  for await (const line of createInterface({ input: dev.stdout })) {
    if (line.includes('"ready"')) return JSON.parse(line).ready
  }
  throw new Error('npx leasehold dev ended before it was ready')
}

function sizes(tarball) {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const { packages } = JSON.parse(readFileSync(join(app, 'package-lock.json'), 'utf8'))
  const kB = Math.round(statSync(tarball).size / 1024)
  const unpacked = Math.round(bytesUnder(join(app, 'node_modules', 'leasehold')) / 1024)
  const all = Math.round(bytesUnder(join(app, 'node_modules')) / 1024 / 1024)
  const direct = Object.keys(dependencies).length
  return `${kB} kB packed, ${unpacked} kB unpacked; ${direct} dependencies, ${Object.keys(packages).length - 2} packages of others, ${all} MB in all`
}

function bytesUnder(path) {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
