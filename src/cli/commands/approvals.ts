import { Command } from 'commander'
import type { ApprovalCall, Verdict } from '../../model/approval.ts'
import { MAX_PAGE } from '../../model/list.ts'
import { findApproval } from '../../registry/find-approval.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { withRegistry } from '../open-registry.ts'
import { wholeNumber } from '../option-values.ts'
import type { Output } from '../output.ts'
import { oneLine } from '../plain-text.ts'
import { alignColumns } from '../table.ts'
import { formatTime } from '../time-text.ts'

interface ListFlags extends ConnectionFlags {
  readonly limit: number
}

export const approvalsCommand = ({ env, output }: CliContext): Command =>
  new Command('approvals')
    .description('list the tool calls that wait for people to allow them')
    .argument('[id]', 'process id; default: all processes')
    .option('--limit <n>', 'rows at most', wholeNumber({ min: 1, max: MAX_PAGE }), 100)
    .addOption(registryOption())
    .addOption(hostOption())
    .action((id: string | undefined, flags: ListFlags) =>
      withRegistry(readConnectionSettings(env, flags), async registry => {
        const { limit } = flags
        const asked = id === undefined ? { limit } : { processId: id, limit }
        const approvals = await registry.openApprovals(asked)
        output.document({ approvals }, () => approvalLines(approvals, output))
      }),
    )

function approvalLines(approvals: readonly ApprovalCall[], output: Output): string[] {
  if (approvals.length === 0) return ['No call waits for approval.']
  const head = ['PROCESS', 'CALL', 'TOOL', 'YES', 'SINCE', 'UNTIL', 'ARGUMENTS']
  const rows = approvals.map(({ processId, openedAtMs, untilMs, approval }) => [
    processId,
    oneLine(approval.callId),
    oneLine(approval.tool),
    `${approval.votes.length}/${approval.approvers}`,
    formatTime(openedAtMs),
    untilMs === undefined ? '-' : formatTime(untilMs),
    oneLine(JSON.stringify(approval.args)),
  ])
  return alignColumns([head.map(name => output.paint('dim', name)), ...rows])
}

interface VoteFlags extends ConnectionFlags {
  readonly by: string
  readonly reason?: string
  readonly digest?: string
}

/** A worker's sweep hears of it in the registry and goes on with the process, so no server is needed here. */
const voteCommand =
  (verdict: Verdict, description: string) =>
  ({ env, output }: CliContext): Command =>
    new Command(verdict)
      .description(description)
      .argument('<id>', 'process id')
      .argument('[call]', 'the call, as "approvals" prints it; may be left out where there is one')
      .requiredOption('--by <who>', 'who says so, for the record')
      .option('--reason <text>', 'why')
      .option('--digest <sha256>', 'of the arguments that were looked at; for others it is refused')
      .addOption(registryOption())
      .addOption(hostOption())
      .action((id: string, call: string | undefined, flags: VoteFlags) =>
        withRegistry(readConnectionSettings(env, flags), async registry => {
          const { by, reason, digest } = flags
          const { key, approval } = await findApproval(registry, id, call)
          const { type, isDue } = await registry.vote(key, {
            by,
            verdict,
            ...(reason === undefined ? {} : { reason }),
            ...(digest === undefined ? {} : { argsDigest: digest }),
          })
          const answered = { processId: id, call: approval.callId, key, verdict, by, type }
          output.document(answered, () => [
            type === 'replayed'
              ? `${oneLine(by)} has said so before; call ${oneLine(approval.callId)} is as it was.`
              : `Call ${oneLine(approval.callId)} of process ${id}: ${verdict === 'approve' ? 'approved' : 'denied'} by ${oneLine(by)}.${isDue ? ' The process was parked for it, and goes on.' : ''}`,
          ])
        }),
      )

export const approveCommand = voteCommand('approve', 'allow a tool call that waits for it')
export const denyCommand = voteCommand(
  'deny',
  'refuse a tool call that waits to be allowed, or one that was allowed and is not being made yet',
)
