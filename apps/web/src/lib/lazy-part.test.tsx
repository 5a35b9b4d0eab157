import { act, render, screen } from '@testing-library/react'
import { Component, type ComponentType, type ReactNode, Suspense } from 'react'
import { describe, expect, it, vi } from 'vitest'
import { lazyPart, PartMissing, retryParts } from './lazy-part.tsx'

class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: undefined as unknown }
  static getDerivedStateFromError(error: unknown) {
    return { error }
  }
  override render() {
    return this.state.error instanceof PartMissing ? <p>missing: {this.state.error.message}</p> : this.props.children
  }
}

const show = (Part: ComponentType) => (
  <Boundary>
    <Suspense fallback="waiting">
      <Part />
    </Suspense>
  </Boundary>
)

describe('a part of the app', () => {
  it('is fetched once, when shown', async () => {
    const load = vi.fn(async () => () => <p>here</p>)
    const Part = lazyPart(load)
    expect(load).not.toHaveBeenCalled()
    await act(async () => render(show(Part)))
    await act(async () => render(show(Part)))
    expect(screen.getAllByText('here')).toHaveLength(2)
    expect(load).toHaveBeenCalledTimes(1)
  })

  it('that does not come is an error, and can be tried again', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {})
    let served = false
    const Part = lazyPart(async () => {
      if (!served) throw new TypeError('Failed to fetch dynamically imported module')
      return () => <p>here</p>
    })
    const first = await act(async () => render(show(Part)))
    expect(screen.getByText('missing: Failed to fetch dynamically imported module')).toBeVisible()
    first.unmount()
    served = true
    retryParts()
    await act(async () => render(show(Part)))
    expect(screen.getByText('here')).toBeVisible()
  })

  it('whose preloading failed is fetched again when it is needed', async () => {
    let served = false
    const Part = lazyPart(async () => {
      if (!served) throw new TypeError('refused')
      return () => <p>here</p>
    })
    await Part.preload()
    served = true
    await Part.preload()
    await act(async () => render(show(Part)))
    expect(screen.getByText('here')).toBeVisible()
  })
})
