/** For an option that may be given more than once. */
export const collect = (value: string, before: string[]): string[] => [...before, value]
