import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// The tests start many OS processes of the same code: what the first one compiled, the others read.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url))

const slow = { testTimeout: 60_000, hookTimeout: 120_000 }

export default defineConfig({
  test: {
    // Most tests wait for a server, so two side by side serve even two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      // Pure rules and code without a server: `npm run check` runs these alone.
      { test: { name: 'unit', include: ['test/{model,runtime,execution}/**/*.test.ts'] } },
      // The conformance suite, and inline workers, on real stores. One real PostgreSQL for all of them; each test has a schema of its own.
      {
        test: {
          name: 'stores',
          include: ['test/{registry,inline}/**/*.test.ts'],
          globalSetup: ['test/support/postgres-server.ts'],
          ...slow,
        },
      },
      { test: { name: 'dev-server', include: ['test/dev-server/**/*.test.ts'], ...slow } },
      // One real Temporal server for all of them, started and stopped here; each test has a registry and a queue of its own.
      {
        test: {
          name: 'temporal',
          include: ['test/{temporal,crash,replay,cli,examples}/**/*.test.ts'],
          globalSetup: ['test/support/temporal-server.ts'],
          ...slow,
        },
      },
    ],
  },
})
