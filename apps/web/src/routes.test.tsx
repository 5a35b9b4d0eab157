import { createMemoryHistory, createRouter } from '@tanstack/react-router'
import { describe, expect, it } from 'vitest'
import { parseSearch, stringifySearch } from './lib/url-search.ts'
import { routeTree } from './routes.tsx'

/** What the page at an address is given of it. */
const searchAt = (address: string): Record<string, unknown> => {
  const history = createMemoryHistory({ initialEntries: [address] })
  const router = createRouter({ routeTree, history, parseSearch, stringifySearch })
  const matches = router.matchRoutes(router.latestLocation)
  return Object.fromEntries(Object.entries(matches.at(-1)?.search ?? {}).filter(([, value]) => value !== undefined))
}

describe('what a page sees of its address', () => {
  it.each([
    ['/predictions?sort=nope:asc', ['sort=nope:asc']],
    ['/predictions?sort=["val_score:asc"]', ['sort=["val_score:asc"]']],
    ['/predictions?sort={}', ['sort={}']],
    ['/predictions?val_score_min=abc', ['val_score_min=abc']],
    ['/predictions?at=-1&tab=nothing&toString=1&__proto__=x', ['toString=1']],
  ])('of what it does not understand only how it was written, to be told: %s', (address, ignored) => {
    expect(searchAt(address)).toEqual({ ignored })
  })

  it.each(['/runs?page=zero', '/settings/migration?step=commit'])('nothing of what it does not understand: %s', (address) => {
    expect(searchAt(address)).toEqual({})
  })

  it('of runs only states that they have', () => {
    expect(searchAt('/runs?status=bogus&q=a')).toEqual({ q: 'a', ignored: ['status=bogus'] })
    expect(searchAt('/runs?status=failed&status=bogus&ignored=b=c')).toEqual({ status: 'failed', ignored: ['b=c', 'status=bogus'] })
  })

  it('what it understands, the workspace with it, and no more of a search than the server takes', () => {
    expect(searchAt('/predictions?workspace=w1&sort=val_score:asc&sort=x:y&q=a')).toEqual({
      workspace: 'w1',
      sort: ['val_score:asc'],
      q: 'a',
      ignored: ['sort=x:y'],
    })
    expect(searchAt(`/predictions?q=${'a'.repeat(600)}`)).toEqual({ q: 'a'.repeat(500) })
    expect(searchAt(`/runs?q=${'a'.repeat(600)}`)).toEqual({ q: 'a'.repeat(500) })
  })
})
