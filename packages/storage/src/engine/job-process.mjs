// Plain JavaScript: scripts/run.mjs reads it with whatever Node there is.

// A heap that starts larger puts off most full collections. Arrays pass through the process outside the heap, and each of them brings
// the next collection nearer: about a tenth of the processor time.
export const jobProcessFlags = ['--initial-old-space-size=256']

// The C library of most Linux systems gives large pieces of memory back as soon as they are free, and gets them again page by page.
// Less of that is a sixth of the time of a deep check. Other systems do not look at it.
const largePieces = ['mmap_threshold=33554432', 'trim_threshold=134217728', 'top_pad=16777216']

export const jobProcessEnvironment = { GLIBC_TUNABLES: largePieces.map((one) => `glibc.malloc.${one}`).join(':') }
