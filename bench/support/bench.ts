/** What every bench is given: where the server is, a folder of its own, and how much to run. */
export interface Surroundings {
  /** `host:port` of the tuned dev server that all benches share. */
  readonly address: string
  /** Empty, and removed after the run. */
  readonly folder: string
  /** Also the references that take minutes. */
  readonly withSlowReferences: boolean
  /** How many, of a bench that runs a number of processes. Default: as many as its row says. */
  readonly size?: number
}

/** One line of the table: our figure beside its reference's, taken in the same run. */
export interface Row {
  readonly what: string
  readonly ours: string
  readonly reference: string
  /** Ours against the reference, where both are of one kind. */
  readonly ratio?: string
  /** Absent: the row is only told. */
  readonly bound?: { readonly text: string; readonly isMet: boolean }
}

export type Bench = (surroundings: Surroundings) => Promise<readonly Row[]>
