import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { facetsQuery } from '../../api/queries.ts'
import { useWorkspace } from '../../api/workspace.tsx'
import { useText } from '../../text/text.tsx'
import { valueLabel } from '../../text/value-label.ts'
import { SearchField } from '../../ui/search-field.tsx'
import type { Narrowed } from './export-request.ts'

interface NarrowProps {
  readonly column: Narrowed
  readonly title: string
  /** Undefined = any. */
  readonly value: string | undefined
  /** Those that the table shows, when it does not show all: then there is no other choice. */
  readonly shown: readonly string[] | undefined
  readonly onChange: (value: string | undefined) => void
}

/** One of the values, or any. Where there are more than the server lists, words find the others. */
export const NarrowField = ({ column, title, value, shown, onChange }: NarrowProps) => {
  const text = useText()
  const label = (each: string): string => valueLabel(column, each, text)
  const [words, setWords] = useState('')
  const { listed, unlisted, isCut } = useValues(column, words, label)
  const canSearch = isCut && shown === undefined
  const [only] = shown?.length === 1 ? shown : []
  const options = only === undefined ? (shown ?? withChosen(listed, value)) : []
  const any = shown === undefined ? text.export.any : only === undefined ? text.export.asTable : label(only)
  return (
    <div className="grid min-w-0 content-start gap-1">
      <label className="grid gap-1">
        <span className="font-semibold">{title}</span>
        <select
          value={value === undefined ? '' : keyOf(value)}
          onChange={(event) => onChange(choiceOf(event.target.value))}
          className="field w-full min-w-0"
        >
          <option value="">{any}</option>
          {options.map((each) => (
            <option key={each} value={keyOf(each)}>
              {label(each)}
            </option>
          ))}
        </select>
      </label>
      {canSearch ? (
        <>
          <SearchField
            value={words}
            label={text.predictions.facetSearch(title)}
            placeholder={text.common.search}
            onChange={setWords}
            className="min-w-0"
          />
          <p aria-live="polite" className="text-xs text-muted">
            {words === '' ? text.export.unlisted(unlisted) : text.export.found(listed.length, unlisted > 0)}
          </p>
        </>
      ) : null}
    </div>
  )
}

/** No value at all is a choice of its own beside the empty value. */
const keyOf = (value: string): string => `=${value}`
const choiceOf = (key: string): string | undefined => (key === '' ? undefined : key.slice(1))

const withChosen = (listed: readonly string[], value: string | undefined): readonly string[] =>
  value === undefined || listed.includes(value) ? listed : [value, ...listed]

/** The values that have the words in them; the server looks for them in more columns than this one. */
const useValues = (column: Narrowed, words: string, label: (value: string) => string) => {
  const workspace = useWorkspace()
  const all = useQuery(facetsQuery(workspace.id, {})).data?.facets[column]
  const found = useQuery({ ...facetsQuery(workspace.id, { q: words }), enabled: words !== '' }).data?.facets[column]
  const [first, further] = [all?.values ?? [], words === '' ? [] : (found?.values ?? [])]
  const values = [...new Set([...first, ...further].map(({ value }) => value ?? ''))]
  const counted = words === '' ? all : found
  return {
    listed: words === '' ? values : values.filter((value) => hasWords(`${value} ${label(value)}`, words)),
    unlisted: counted === undefined ? 0 : counted.distinct - counted.values.length,
    isCut: all !== undefined && all.values.length < all.distinct,
  }
}

const hasWords = (name: string, words: string): boolean =>
  words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => name.toLowerCase().includes(word))
