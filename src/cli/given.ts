/** A variable that is set to nothing is not set. */
export const given = (value: string | undefined): string | undefined => (value === '' ? undefined : value)
