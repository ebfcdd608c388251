import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { RUN_ENV } from './test/support/scan/run-secrets.ts'

// The tests start many OS processes of the same code: what the first one compiled, the others read.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url))

// The secrets that each test has about it, and what looks for them in logs.
const scanned = { env: RUN_ENV, setupFiles: ['test/support/scan/after-each.ts'] }

// No bound on speed: the limits end what hangs, also on a slow machine under load.
const patient = { testTimeout: 180_000, hookTimeout: 180_000, expect: { poll: { timeout: 60_000 } } }

export default defineConfig({
  test: {
    // At the end what the servers hold and have written is scanned for planted secrets (test/support/scan).
    teardownTimeout: 180_000,
    // Most tests wait for a server, a disk or another OS process: one file more than there are cores keeps these at work.
    maxWorkers: Math.max(2, availableParallelism() + 1),
    projects: [
      // Pure rules and code without a server, so many small files share what they import: `npm run check` runs these alone.
      {
        test: {
          name: 'unit',
          include: ['test/{docs,model,runtime,execution}/**/*.test.ts'],
          isolate: false,
          ...patient,
        },
      },
      // The conformance suite, and inline workers, on real stores. One real PostgreSQL for all of them; each test has a schema of its own.
      {
        test: {
          name: 'stores',
          include: ['test/{registry,inline}/**/*.test.ts'],
          globalSetup: ['test/support/postgres-server.ts'],
          ...scanned,
          ...patient,
        },
      },
      { test: { name: 'dev-server', include: ['test/dev-server/**/*.test.ts'], ...patient } },
      // One real Temporal server for all of them, started and stopped here; each test has a registry and a queue of its own.
      // Its SDK is read once for all files: that took a fifth of their time.
      {
        test: {
          name: 'temporal',
          isolate: false,
          include: ['test/{temporal,crash,replay,cli,examples}/**/*.test.ts'],
          globalSetup: ['test/support/temporal-server.ts'],
          ...scanned,
          ...patient,
        },
      },
    ],
  },
})
