import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isStorageError } from '../errors.ts'
import {
  type LifecycleEvent,
  type LifecycleState,
  type LifecycleTable,
  lifecycleEvents,
  lifecycleStates,
  lifecycleTable,
} from './lifecycle-table.ts'
import {
  assertTransition,
  isTerminal,
  nextStates,
  possibleEvents,
  readLifecycleState,
  requireLifecycleState,
  transition,
} from './transition.ts'

const run = { kind: 'run', id: 'r1' } as const

const refusalOf = (act: () => unknown) => {
  try {
    act()
  } catch (error) {
    if (isStorageError(error, 'invalid_transition', 'validation')) return error
    throw error
  }
  return undefined
}

describe('test_state_machine: run and pipeline status', () => {
  it('test_valid_transitions: is the table of the design review', () => {
    expect(Object.fromEntries(lifecycleStates.map((state) => [state, nextStates(state).toSorted()]))).toEqual({
      queued: ['cancelled', 'running'],
      running: ['completed', 'failed', 'paused'],
      paused: ['cancelled', 'running'],
      failed: ['queued'],
      completed: [],
      cancelled: [],
    })
    expect(lifecycleStates.filter(isTerminal)).toEqual(['completed', 'cancelled'])
  })

  it('test_table_is_total: every state against every event is either a state or a refusal, and a missing cell does not compile', () => {
    for (const state of lifecycleStates) expect(Object.keys(lifecycleTable[state]).toSorted()).toEqual([...lifecycleEvents].toSorted())
    const { retry: _left, ...gap } = lifecycleTable.failed
    // @ts-expect-error the cell failed × retry is missing
    const incomplete: LifecycleTable = { ...lifecycleTable, failed: gap }
    expect(incomplete.failed).not.toHaveProperty('retry')
  })

  it('test_invalid_transition_refused: says what is untouched and what is possible', () => {
    const refused = refusalOf(() => transition(run, 'paused', 'complete'))
    expect(refused?.message).toBe('The run r1 is paused: "complete" is not possible. Nothing was changed.')
    expect(refused?.fields.hint).toBe('Possible now: resume, cancel.')
    expect(refusalOf(() => transition({ kind: 'pipeline', id: 'p' }, 'completed', 'fail'))?.fields.hint).toContain('begin a new one')
  })

  it('test_random_histories: a history moves along the table, or stops with a refusal and stays', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...lifecycleEvents), { maxLength: 30 }), (events) => {
        let state: LifecycleState = 'queued'
        for (const event of events) state = step(state, event)
        expect(lifecycleStates).toContain(state)
      }),
    )
  })

  it('test_target_status: agrees with the events', () => {
    for (const from of lifecycleStates)
      for (const to of lifecycleStates)
        expect(refusalOf(() => assertTransition(run, from, to)) === undefined).toBe(nextStates(from).includes(to))
  })

  it('test_stored_words: the three words of real stores are states; others are read as unknown and never overwritten', () => {
    expect(['running', 'completed', 'failed'].map(readLifecycleState)).toEqual(['running', 'completed', 'failed'])
    for (const word of ['', 'Completed', 'toString', '__proto__', 'archived']) {
      expect(readLifecycleState(word)).toBeUndefined()
      expect(refusalOf(() => requireLifecycleState(run, word))?.message).toContain('unknown status')
    }
  })
})

const step = (state: LifecycleState, event: LifecycleEvent): LifecycleState => {
  if (possibleEvents(state).includes(event)) return transition(run, state, event)
  expect(refusalOf(() => transition(run, state, event))).toBeDefined()
  return state
}
