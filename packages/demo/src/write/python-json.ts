export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

const asciiText = (text: string) =>
  JSON.stringify(text).replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** JSON text as Python's `json.dumps` writes it: spaces after separators, ASCII only, bare NaN and Infinity. */
export const pythonJson = (value: Json): string => {
  if (typeof value === 'string') return asciiText(value)
  if (value === null || typeof value !== 'object') return String(value)
  if (isList(value)) return `[${value.map(pythonJson).join(', ')}]`
  return `{${Object.entries(value)
    .map(([key, inner]) => `${asciiText(key)}: ${pythonJson(inner)}`)
    .join(', ')}}`
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value)
