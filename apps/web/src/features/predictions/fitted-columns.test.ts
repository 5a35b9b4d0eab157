import { describe, expect, it } from 'vitest'
import { shownColumns } from './column-choice.ts'
import { fittedColumns, roomOf } from './fitted-columns.ts'
import type { PredictionSearch } from './search.ts'

const fitted = (search: PredictionSearch, width: number) => fittedColumns(search, shownColumns(search), roomOf(width))
const wheat: PredictionSearch = { dataset_name: ['wheat'] }

describe('columns that fit', () => {
  it('are all of them where there is room', () => {
    expect(fitted({ ...wheat, sort: ['test_score:asc'] }, 1063)).toEqual(shownColumns({}))
  })

  it('leave out what the filters fix to one value beside an open row, and keep partition and fold before the scores', () => {
    expect(fitted(wheat, 630).slice(0, 5)).toEqual(['model_name', 'preprocessings', 'partition', 'fold_id', 'val_score'])
    expect(fitted({ dataset_name: ['wheat', 'rye'] }, 630)[0]).toBe('dataset_name')
  })

  it('bring the score that is sorted by into view', () => {
    const byTest: PredictionSearch = { ...wheat, sort: ['test_score:asc'] }
    expect(fitted(byTest, 630).slice(3, 6)).toEqual(['fold_id', 'test_score', 'val_score'])
    expect(fitted(byTest, 360).slice(0, 3)).toEqual(['model_name', 'test_score', 'val_score'])
    expect(fitted(wheat, 360).slice(0, 2)).toEqual(['model_name', 'val_score'])
    expect(fitted({ sort: ['dataset_name:asc'] }, 360).slice(0, 3)).toEqual(['dataset_name', 'val_score', 'model_name'])
    expect(fitted({ sort: ['partition:asc'] }, 360).slice(0, 3)).toEqual(['dataset_name', 'partition', 'val_score'])
  })

  it('lose nothing else, and name none twice', () => {
    for (const width of [360, 630]) {
      expect(fitted({ ...wheat, sort: ['model_name:asc'] }, width).toSorted()).toEqual(
        shownColumns({})
          .filter((column) => column !== 'dataset_name')
          .toSorted(),
      )
    }
  })

  it('stay as they were chosen or pinned', () => {
    expect(fitted({ ...wheat, cols: 'dataset_name,metric' }, 360)).toEqual(['dataset_name', 'metric'])
    expect(fitted({ ...wheat, pin: 'run_name' }, 360).slice(0, 2)).toEqual(['run_name', 'dataset_name'])
  })
})
