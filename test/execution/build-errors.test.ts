import { describe, expect, test } from 'vitest'
import { outcomeOfBuildError } from '../../src/execution/outcome-of.ts'
import { type ErrorCode, LeaseholdError } from '../../src/model/errors.ts'

const leasehold = (code: ErrorCode, cause?: unknown) =>
  new LeaseholdError(code, `the text of ${code}`, cause === undefined ? {} : { cause })
const network = (code: string) => Object.assign(new Error('no answer'), { code })

/** Another attempt would find the same: the process ends, and says what is wrong. */
const PERMANENT: readonly ErrorCode[] = [
  'process_env_missing',
  'process_env_not_found',
  'process_env_corrupt',
  'process_runtime_build_failed',
  'process_no_static_scope',
  'process_host_profile_mismatch',
  'process_externally_owned',
  'missing_process_execution_id',
  'process_tool_unknown',
  'host_invalid',
]

/** Said of somebody else, who may be back or may be repaired: the attempt is repeated. */
const PASSING: readonly unknown[] = [
  ...(
    [
      'registry_locked',
      'registry_disk_full',
      'registry_unavailable',
      'registry_closed',
      'registry_read_only',
      'registry_corrupt',
      'registry_newer',
      'registry_mismatch',
      'blob_missing',
      'blob_corrupt',
      'temporal_unreachable',
    ] satisfies ErrorCode[]
  ).map(code => leasehold(code)),
  network('ECONNREFUSED'),
  network('ETIMEDOUT'),
  network('UND_ERR_CONNECT_TIMEOUT'),
  new Error('the plugin could not start', { cause: network('ENOTFOUND') }),
  leasehold('process_runtime_build_failed', leasehold('registry_unavailable')),
  leasehold('process_runtime_build_failed', leasehold('blob_missing')),
]

describe('an error before the code of a process runs (§6 #184, #185)', () => {
  test.each(PERMANENT)('%s ends it as process_recovery_failed', code => {
    expect(outcomeOfBuildError(leasehold(code))).toEqual({
      status: 'failed',
      class: 'execution',
      code: 'process_recovery_failed',
      message: `the text of ${code}`,
      raw: { code },
    })
  })

  test('so does one of the host’s own', () => {
    expect(outcomeOfBuildError(new TypeError('options.url is missing'))).toMatchObject({
      code: 'process_recovery_failed',
      message: 'options.url is missing',
      raw: { code: 'internal' },
    })
  })

  test('a kind that the host does not have ends it under that code', () => {
    expect(outcomeOfBuildError(leasehold('process_engine_missing'))).toMatchObject({
      status: 'failed',
      code: 'process_engine_missing',
    })
  })

  test.each(PASSING.map(error => ({ error })))('$error.code, $error.message: ends nothing', ({ error }) => {
    expect(outcomeOfBuildError(error)).toBeUndefined()
  })
})
