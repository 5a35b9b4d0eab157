import { metricKey, spellingsByMetric } from '@nirs-workspace/types/metric'
import { describe, expect, it } from 'vitest'
import { makeFormatters } from '../lib/format.ts'
import { en } from './en.ts'
import { metricAmong, metricName } from './metric-name.ts'

const text = en(makeFormatters('en'))

describe('spellings of a metric', () => {
  it('are one metric whatever the case, blanks and alias; averages over classes and unknown names are their own', () => {
    expect(spellingsByMetric(['R2', 'rmse', 'r2_score', ' r2 ', 'foo', 'FOO', ''])).toEqual([
      ['R2', 'r2_score', ' r2 '],
      ['rmse'],
      ['foo'],
      ['FOO'],
      [''],
    ])
    expect(new Set(['f1', 'f1_micro', 'F1_macro'].map(metricKey)).size).toBe(3)
    expect(metricKey('F1_Micro')).toBe(metricKey('f1_micro'))
  })

  it('are told apart only where two are called the same', () => {
    expect(metricAmong(text, 'R2', ['R2', 'rmse'])).toBe('R²')
    expect(metricAmong(text, 'R2', ['R2', 'r2'])).toBe('R² (R2)')
  })

  it('have a name when the stored one is empty', () => {
    expect(metricName(text, '')).toBe('(empty)')
  })
})
