import { SingleBar } from 'cli-progress'

/** Shows how far a survey is: a bar on a terminal, a line at every tenth elsewhere. */
export interface Progress {
  show(done: number, total: number): void
  /** A line in between; the bar begins again below it. */
  say(line: string): void
  stop(): void
}

export const createProgress = (output: NodeJS.WriteStream): Progress =>
  output.isTTY ? createBar(output) : createLines(output)

function createBar(stream: NodeJS.WriteStream): Progress {
  let bar: SingleBar | undefined
  const stop = () => {
    bar?.stop()
    bar = undefined
  }
  const start = (done: number, total: number): SingleBar => {
    const format = '  {bar} {percentage} %  {value} of {total} files'
    const started = new SingleBar({ format, stream, barCompleteChar: '█', barIncompleteChar: '░' })
    started.start(total, done)
    return started
  }
  return {
    show(done, total) {
      bar ??= start(done, total)
      bar.update(done)
    },
    say(line) {
      stop()
      stream.write(`${line}\n`)
    },
    stop,
  }
}

function createLines(stream: NodeJS.WriteStream): Progress {
  let tenths = 0
  const say = (line: string) => void stream.write(`${line}\n`)
  return {
    show(done, total) {
      const reached = Math.floor((10 * done) / total)
      if (reached <= tenths) return
      tenths = reached
      say(`  ${String(tenths * 10).padStart(3)} %  ${done} of ${total} files`)
    },
    say,
    stop: () => {},
  }
}
