import * as z from 'zod'
import { StorageError } from '../errors.ts'
import { checkGiven } from '../options/check-options.ts'
import {
  type LifecycleEvent,
  type LifecycleState,
  type LifecycleTable,
  lifecycleEvents,
  lifecycleStates,
  lifecycleTable,
} from './lifecycle-table.ts'

/** Whose status changes, for the sentence of the refusal. */
export interface LifecycleSubject {
  kind: 'run' | 'pipeline'
  id: string
}

const table: LifecycleTable = lifecycleTable
const State = z.enum(lifecycleStates)

/** The state after an event, or a refusal (`invalid_transition`) that names what would have been possible. */
export const transition = (subject: LifecycleSubject, from: LifecycleState, event: LifecycleEvent): LifecycleState => {
  checkGiven(State, from, 'the status')
  checkGiven(z.enum(lifecycleEvents), event, 'the event')
  const to = table[from][event]
  if (to === 'refused') throw refusal(subject, from, `"${event}" is not possible`)
  return to
}

/** For callers that know the status they want rather than the event: refused unless one event leads there. */
export const assertTransition = (subject: LifecycleSubject, from: LifecycleState, to: LifecycleState): void => {
  checkGiven(State, from, 'the status')
  checkGiven(State, to, 'the status')
  if (!nextStates(from).includes(to)) throw refusal(subject, from, `it cannot become ${to}`)
}

/** The events that a state accepts, in the order of `lifecycleEvents`. */
export const possibleEvents = (from: LifecycleState): LifecycleEvent[] =>
  lifecycleEvents.filter((event) => table[from][event] !== 'refused')

export const nextStates = (from: LifecycleState): LifecycleState[] =>
  possibleEvents(from).flatMap((event) => {
    const to = table[from][event]
    return to === 'refused' ? [] : [to]
  })

export const isTerminal = (state: LifecycleState): boolean => possibleEvents(state).length === 0

/** The state behind a status that a store holds; undefined for a word of which this release knows nothing. */
export const readLifecycleState = (status: string): LifecycleState | undefined => lifecycleStates.find((state) => state === status)

/** As `readLifecycleState`, for whoever is about to change the status: an unknown word is refused rather than overwritten. */
export const requireLifecycleState = (subject: LifecycleSubject, status: string): LifecycleState => {
  const state = readLifecycleState(status)
  if (state !== undefined) return state
  throw new StorageError('validation', `The ${subject.kind} ${subject.id} has the unknown status "${status}". Nothing was changed.`, {
    ids: [subject.id],
    hint: `This release knows ${lifecycleStates.join(', ')}. A newer release may have written the store.`,
  })
}

/** That something is refused in a state: `what` says what. */
export const refusal = (subject: LifecycleSubject, from: LifecycleState, what: string): StorageError => {
  const events = possibleEvents(from)
  return new StorageError('invalid_transition', `The ${subject.kind} ${subject.id} is ${from}: ${what}. Nothing was changed.`, {
    ids: [subject.id],
    hint: events.length === 0 ? `A ${subject.kind} that is ${from} stays so; begin a new one.` : `Possible now: ${events.join(', ')}.`,
  })
}
