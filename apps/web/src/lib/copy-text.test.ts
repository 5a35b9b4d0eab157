import { afterEach, describe, expect, it, vi } from 'vitest'
import { copyText } from './copy-text.ts'

const withClipboard = (clipboard: unknown): void =>
  void Object.defineProperty(navigator, 'clipboard', { configurable: true, value: clipboard })
const refuse = () => Promise.reject(new DOMException('Write permission denied.', 'NotAllowedError'))

/** A browser whose command copies what a page puts into the event. */
const withCommand = (): string[] => {
  const copied: string[] = []
  const execCommand = (): boolean => {
    const event = new Event('copy', { cancelable: true })
    Object.assign(event, { clipboardData: { setData: (_: string, text: string) => copied.push(text) } })
    return !document.dispatchEvent(event)
  }
  Object.assign(document, { execCommand })
  return copied
}

afterEach(() => {
  Reflect.deleteProperty(navigator, 'clipboard')
  Reflect.deleteProperty(document, 'execCommand')
  vi.restoreAllMocks()
})

describe('copying', () => {
  it('uses the clipboard of the page', async () => {
    const writeText = vi.fn(() => Promise.resolve())
    withClipboard({ writeText })
    expect(await copyText('a')).toBe(true)
    expect(writeText).toHaveBeenCalledWith('a')
  })

  it.each([
    ['has none', undefined],
    ['may not use it', { writeText: refuse }],
  ])('goes by the command of the browser where the page %s', async (_, clipboard) => {
    withClipboard(clipboard)
    const copied = withCommand()
    expect(await copyText('a\tb')).toBe(true)
    expect(copied).toEqual(['a\tb'])
  })

  it('says that nothing was copied where neither works', async () => {
    withClipboard({ writeText: refuse })
    expect(await copyText('a')).toBe(false)
    Object.assign(document, { execCommand: () => false })
    expect(await copyText('a')).toBe(false)
  })
})
