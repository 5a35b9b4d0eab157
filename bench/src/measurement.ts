/** One figure of the benchmark, with the goal it is held against and what it costs relative to something that needs no product. */
export interface Measurement {
  readonly name: string
  readonly value: number
  readonly unit: 'ms' | 's' | 'MB' | 'KB' | '×'
  /** Upper bound in the same unit; null when the figure is only watched. */
  readonly goal: number | null
  /** The same work without the product around it, measured in the same run. */
  readonly baseline: { readonly name: string; readonly value: number } | null
  readonly note?: string
}

export const passes = (measurement: Measurement): boolean => measurement.goal === null || measurement.value <= measurement.goal

/** A group of figures that share a workspace. `order` keeps the report stable. */
export interface MeasurementGroup {
  readonly title: string
  readonly measurements: readonly Measurement[]
}
