/**
 * Puts text onto the clipboard; answers whether it is there. Pages that a server of the laboratory gives without TLS have no clipboard of
 * their own: what the browser copies by its own command then stands for it.
 */
export const copyText = async (text: string): Promise<boolean> => {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyByCommand(text)
  }
}

const copyByCommand = (text: string): boolean => {
  let isTaken = false
  const put = (event: ClipboardEvent): void => {
    event.preventDefault()
    event.clipboardData?.setData('text/plain', text)
    isTaken = event.clipboardData !== null
  }
  document.addEventListener('copy', put, { once: true })
  try {
    return document.execCommand('copy') && isTaken
  } catch {
    return false
  } finally {
    document.removeEventListener('copy', put)
  }
}
