import { useQuery } from '@tanstack/react-query'
import { facetsQuery } from '../../api/queries.ts'
import { useText } from '../../text/text.tsx'
import { valueLabel } from '../../text/value-label.ts'
import { type ConstantColumn, constantColumns } from './constant-facets.ts'
import { filterParams, type PredictionSearch } from './search.ts'

const none: readonly ConstantColumn[] = []

/** The columns that hold one value in all rows, while the reader asks to leave them out. */
export const useConstantColumns = (workspace: string, search: PredictionSearch): readonly ConstantColumn[] => {
  const { data } = useQuery({ ...facetsQuery(workspace, filterParams(search)), enabled: search.differ === 'only' })
  return search.differ === 'only' ? constantColumns(search, data) : none
}

/** What the left out columns hold, so that nothing is lost from view. */
export const ConstantColumns = ({ constant }: { constant: readonly ConstantColumn[] }) => {
  const text = useText()
  if (constant.length === 0) return null
  return (
    <p className="flex flex-wrap gap-x-3 gap-y-0.5 border-b border-line bg-surface px-4 py-1.5 text-xs">
      <span className="text-muted">{text.predictions.sameEverywhere}</span>
      {constant
        .filter(({ column }) => !column.endsWith('_id'))
        .map(({ column, value }) => (
          <span key={column} className="max-w-72 truncate">
            <span className="text-muted">{text.columns[column]}</span> {valueLabel(column, value, text)}
          </span>
        ))}
    </p>
  )
}
