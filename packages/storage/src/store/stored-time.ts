/** A time as DuckDB writes it, also where nirs4all has taken it over into a store.sqlite. */
export const storedTime = (text: string): string => text.replace('T', ' ').replace(/\.0+$|(\.\d*[1-9])0+$/, '$1')
