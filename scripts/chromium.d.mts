/** Path of a browser that is there, or undefined. `NIRS_WORKSPACE_CHROMIUM` wins. */
export function findChromium(): string | undefined
/** A browser, fetched if need be; throws with what to do when none can be had. */
export function ensureChromium(node: string): string
