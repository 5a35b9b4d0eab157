import '@testing-library/jest-dom/vitest'
import { cleanup } from '@testing-library/react'
import { afterEach, vi } from 'vitest'

afterEach(cleanup)

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
window.scrollTo = () => {}
