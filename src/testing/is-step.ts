import { nameOf } from '../model/journal.ts'

/** Is it the step of this address, or one of this name? What merely begins so, as the question before a call, is another. */
export const isStep = (address: string, asked: string): boolean =>
  address === asked || nameOf(address) === asked
