import { Console } from 'node:console'
import { LeaseholdError } from '../model/errors.ts'
import { EXIT } from './exit-code.ts'
import { createOutput } from './output.ts'
import { createProgram } from './program.ts'
import { reportError } from './report-error.ts'

const argv = process.argv.slice(2)
const words = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
// Read here and not from the parsed options, because a usage error has to take the asked form as well.
const form = { isJson: words.includes('--json'), isDebug: words.includes('--debug') }

// What a host module prints must not stand inside our one document.
if (form.isJson) globalThis.console = new Console(process.stderr)

let exitCode: number | undefined

process.stdout.on('error', endUnread)

process.once('exit', code => {
  // Above 128: a second Ctrl-C, which is an end as good as any.
  if (exitCode !== undefined || code > 128) return
  process.exitCode = reportError(
    new Error(
      'The program ended before its command did, as when a host module ends it or never finishes loading.',
    ),
    form,
  )
})

/** Whoever read our output has seen enough (`leasehold list | head`); any other answer that is not there is no success. */
function endUnread(error: NodeJS.ErrnoException): never {
  exitCode = error.code === 'EPIPE' ? EXIT.done : reportError(outputLost(error), form)
  process.exit(exitCode)
}

const outputLost = (cause: Error): LeaseholdError =>
  new LeaseholdError(
    'output_lost',
    `The answer could not be written to standard output: ${cause.message}. What the command did is done; make room, and look at it again.`,
    { cause },
  )

async function run(): Promise<number> {
  let code: number = EXIT.done
  const exitWith = (asked: number) => {
    code = asked
  }
  try {
    const context = { env: process.env, output: createOutput(form.isJson), exitWith }
    const program = await createProgram(context, argv[0])
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    return reportError(error, form)
  }
}

// Not a top-level await: while one is open, Node has an exit code and words of its own for a loop that ran dry.
void run().then(code => {
  exitCode = code
  // Not left to the event loop: a host module may hold it open with a timer or a connection of its own.
  process.stdout.write('', error => (error ? endUnread(error) : process.exit(code)))
})
