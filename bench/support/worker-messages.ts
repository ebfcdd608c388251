/** What a worker's OS process tells the bench. Times are `wallMs()` there. */
export type WorkerMessage =
  | { readonly type: 'ready' }
  /** The code of this process (or bare workflow) runs now. */
  | { readonly type: 'running'; readonly id: string; readonly attempt: number; readonly atMs: number }
  /** Its code is about to return. */
  | { readonly type: 'ending'; readonly id: string; readonly atMs: number }
  /** The host's sink has been called with this wake. */
  | { readonly type: 'woken'; readonly id: string; readonly atMs: number }
  /** Its code has been told to stop. */
  | { readonly type: 'aborted'; readonly id: string; readonly atMs: number }

export function tellBench(message: WorkerMessage): void {
  // With the IPC channel gone the bench is too, and the worker is about to be ended.
  if (process.connected) process.send?.(message)
}
