import { entriesOf } from '../json/entries-of.ts'
import { parseLenient } from '../json/parse-lenient.ts'

/** The columns of a chain that name artifacts, as the store holds them: JSON text. */
export interface ChainTexts {
  readonly steps: string | null
  readonly fold_artifacts: string | null
  readonly shared_artifacts: string | null
}

/**
 * Ids of the artifacts that a chain needs, each once: models per fold, what its steps were fitted to, and what the sources of a step share
 * (`_source_map`). Text that is no JSON names none.
 */
export const artifactIdsOf = (chain: ChainTexts): string[] => {
  const ids = new Set<string>()
  collectSteps(parseOrNull(chain.steps), ids)
  for (const text of [chain.fold_artifacts, chain.shared_artifacts]) collectTexts(parseOrNull(text), ids)
  return [...ids]
}

const collectSteps = (steps: unknown, ids: Set<string>): void => {
  if (!Array.isArray(steps)) return
  for (const step of steps) {
    const named = (entriesOf(step) ?? []).filter(([key]) => key === 'artifact_ids')
    for (const [, value] of named) collectTexts(value, ids)
  }
}

/** In these columns every text that is no key is an id, however deep it stands. */
const collectTexts = (value: unknown, ids: Set<string>): void => {
  if (typeof value === 'string' && value !== '') ids.add(value)
  else if (Array.isArray(value)) for (const item of value) collectTexts(item, ids)
  else for (const [, member] of entriesOf(value) ?? []) collectTexts(member, ids)
}

const parseOrNull = (text: string | null): unknown => {
  if (text === null) return null
  try {
    return parseLenient(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
