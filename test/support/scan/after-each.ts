/** Set up for every test file of `stores` and `temporal`: fails the test during which a planted secret was logged. */
import { afterEach } from 'vitest'
import { takeFindings } from './logs.ts'
import { refuseFindings } from './run-secrets.ts'

afterEach(() => refuseFindings('the log of a worker', takeFindings()))
