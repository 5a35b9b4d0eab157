import { Copy, Download, ListFilter, Rows3, Rows4 } from 'lucide-react'
import { useState } from 'react'
import { lazyPart } from '../../lib/lazy-part.tsx'
import { useDensity } from '../../stores/density.ts'
import type { RowRange } from '../../table/row-range.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Button, IconButton } from '../../ui/button.tsx'
import { DialogPart } from '../../ui/dialog-part.tsx'
import { SearchField } from '../../ui/search-field.tsx'
import type { Change } from './change.ts'
import { ColumnChooser } from './column-chooser.tsx'
import { exportFilters } from './export-filters.ts'
import type { PredictionSearch } from './search.ts'

const ExportDialog = lazyPart(async () => (await import('../export/export-dialog.tsx')).ExportDialog)

interface ToolbarProps {
  readonly search: PredictionSearch
  readonly change: Change
  readonly changeColumns: Change
  readonly total: number | undefined
  readonly refreshing: boolean
  /** The rows could not be had, so nobody knows how many there are, and there are none to lay out or export. */
  readonly failed: boolean
  readonly cursorRow: number
  readonly selection: RowRange | undefined
  /** Nothing is open beside the table, so say how to open something. */
  readonly hint: boolean
  readonly onCopy: () => void
  readonly panel: boolean
  readonly onPanel: (open: boolean) => void
}

/** Id of the button that opens and closes the filters. */
export const filterButton = 'filter-button'

export const Toolbar = ({
  search,
  change,
  changeColumns,
  total,
  refreshing,
  failed,
  cursorRow,
  hint,
  selection,
  onCopy,
  panel,
  onPanel,
}: ToolbarProps) => {
  const text = useText()
  const { predictions } = text
  const [exporting, setExporting] = useState(false)
  const openExport = (): void => {
    // Where it failed before, it is fetched again.
    void ExportDialog.preload()
    setExporting(true)
  }
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-2 border-b border-line bg-surface px-3 py-2 max-sm:gap-x-1.5">
      <IconButton
        id={filterButton}
        label={panel ? predictions.hideFilters : predictions.showFilters}
        aria-expanded={panel}
        onClick={() => onPanel(!panel)}
        className={panel ? 'bg-accent-soft text-accent' : undefined}
      >
        <ListFilter size={18} aria-hidden />
      </IconButton>
      <SearchBox value={search.q ?? ''} change={change} />
      <Total total={total} cursorRow={cursorRow} refreshing={refreshing} failed={failed} />
      <p className="min-w-0 flex-1 truncate text-xs text-muted max-sm:hidden">
        <span className="max-xl:hidden">{hint && total !== undefined && total > 0 ? predictions.openHint : ''}</span>
      </p>
      {selection === undefined ? null : (
        <Button tone="quiet" onClick={onCopy}>
          <Copy size={16} aria-hidden /> {predictions.copyRows(selection.last - selection.first + 1)}
        </Button>
      )}
      <DensitySwitch />
      <ColumnChooser search={search} change={changeColumns} disabled={failed} />
      <Button tone="primary" disabled={failed} onClick={openExport} title={predictions.export} className="max-sm:px-2.5">
        <Download size={16} aria-hidden /> <span className="max-sm:sr-only">{predictions.export}</span>
      </Button>
      {exporting ? (
        <DialogPart title={text.export.title} onClose={() => setExporting(false)}>
          <ExportDialog filters={exportFilters(search)} onClose={() => setExporting(false)} />
        </DialogPart>
      ) : null}
    </div>
  )
}

const SearchBox = ({ value, change }: { value: string; change: Change }) => {
  const { predictions } = useText()
  return (
    <SearchField
      value={value}
      label={predictions.searchLabel}
      placeholder={predictions.searchPlaceholder}
      onChange={(next, goesOn) => change(({ q: _, at: __, ...rest }) => (next === '' ? rest : { ...rest, q: next }), goesOn)}
      className="min-w-0 max-w-80 flex-1 basis-52 max-sm:order-last max-sm:max-w-none max-sm:basis-full"
    />
  )
}

const Total = ({ total, cursorRow, refreshing, failed }: Pick<ToolbarProps, 'total' | 'cursorRow' | 'refreshing' | 'failed'>) => {
  const text = useText()
  const format = useFormat()
  return (
    <p aria-live="polite" className="flex items-baseline gap-2 whitespace-nowrap max-sm:flex-1">
      <span className={refreshing ? 'font-semibold opacity-55' : 'font-semibold'}>
        {failed ? '' : total === undefined ? '…' : text.common.predictions(total)}
      </span>
      {total === undefined || total === 0 || cursorRow < 0 ? null : (
        <span aria-hidden className="text-xs text-muted max-lg:hidden" title={text.predictions.rowOf(cursorRow + 1, total)}>
          {format.int(cursorRow + 1)} / {format.int(total)}
        </span>
      )}
      {refreshing ? <span className="text-xs text-muted">{text.predictions.refreshing}</span> : null}
    </p>
  )
}

const DensitySwitch = () => {
  const { predictions } = useText()
  const [density, setDensity] = useDensity()
  const next = density === 'compact' ? 'comfortable' : 'compact'
  return (
    <IconButton label={predictions.density[next]} onClick={() => setDensity(next)}>
      {next === 'compact' ? <Rows4 size={18} aria-hidden /> : <Rows3 size={18} aria-hidden />}
    </IconButton>
  )
}
