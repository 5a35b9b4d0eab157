/** What the process ends with; errors bring their own from the table of error codes. */
export const exitCodes = { done: 0, findings: 1, usage: 2, failed: 5, bug: 70 } as const
