import type { PredictionSearch } from './search.ts'

/** Changes the address of the page; `replace` leaves no step for the back button. */
export type Change = (next: (before: PredictionSearch) => PredictionSearch, replace?: boolean) => void
