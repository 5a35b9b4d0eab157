/** Whether shortcuts are typed with ⌘ here; there Ctrl+K is the text field's own. */
export const isMac = (): boolean => /^(Mac|iPhone|iPad)/.test(navigator.platform)

/** The key that opens the palette, as it is printed on keyboards here. */
export const paletteKey = (): string => (isMac() ? '⌘K' : 'Ctrl+K')

/** Ctrl+K, or ⌘K on a Mac, and no other key held: with Shift or Alt it belongs to the browser or the system. */
export const isPaletteKey = (event: KeyboardEvent): boolean => {
  const held = isMac() ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey
  return held && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k'
}
