import '@testing-library/jest-dom/vitest'
import { cleanup, configure } from '@testing-library/react'
import { afterEach, vi } from 'vitest'

afterEach(cleanup)
// Pages load in pieces; on a busy machine the first import of one takes seconds.
configure({ asyncUtilTimeout: 20_000 })

/** What jsdom lacks and the app needs: sizes, media queries, observers, sockets. */
class NoObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

class ClosedSocket extends EventTarget {
  close(): void {}
  send(): void {}
}

vi.stubGlobal('ResizeObserver', NoObserver)
vi.stubGlobal('WebSocket', ClosedSocket)
vi.stubGlobal('matchMedia', (query: string) => ({
  matches: query.includes('min-width'),
  addEventListener: () => {},
  removeEventListener: () => {},
}))
Object.defineProperty(HTMLElement.prototype, 'clientHeight', { configurable: true, get: () => 634 })
Object.defineProperty(HTMLElement.prototype, 'clientWidth', { configurable: true, get: () => 1200 })
Element.prototype.scrollTo = () => {}
Element.prototype.scrollIntoView = () => {}
window.scrollTo = () => {}
