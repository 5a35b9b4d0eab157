/**
 * Options for the Node process that runs a migration: arrays pass through it outside its heap, each of them bringing the next full garbage
 * collection nearer; a heap that starts larger puts off most of those (about a tenth of the processor time).
 */
export const jobProcessFlags: readonly string[] = ['--initial-old-space-size=1024']
