import { createHash } from 'node:crypto'
import { toWireNumber } from '@nirs-workspace/types'
import type { JsonTree } from './json-tree.ts'

/** One text per content: keys in order of their UTF-16 units, no spaces, the shortest digits. */
export const canonicalJson = (tree: JsonTree): string => {
  if (tree instanceof Map) {
    const keys = [...tree.keys()].toSorted()
    return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(tree.get(key) ?? null)}`).join(',')}}`
  }
  if (Array.isArray(tree)) return `[${tree.map(canonicalJson).join(',')}]`
  return scalarText(tree)
}

/** The identity of a pipeline: `sha256:` and 64 hex digits of its canonical JSON. */
export const contentHash = (tree: JsonTree): string => `sha256:${createHash('sha256').update(canonicalJson(tree)).digest('hex')}`

/** As Python's `json.dump(indent=2)` lays it out, keys in the order they came; bare `NaN` and `Infinity` as there. */
export const prettyJson = (tree: JsonTree, indent = ''): string => {
  const inner = `${indent}  `
  if (tree instanceof Map) {
    const lines = [...tree].map(([key, value]) => `${inner}${JSON.stringify(key)}: ${prettyJson(value, inner)}`)
    return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`
  }
  if (Array.isArray(tree)) {
    return tree.length === 0 ? '[]' : `[\n${tree.map((item) => inner + prettyJson(item, inner)).join(',\n')}\n${indent}]`
  }
  return scalarText(tree)
}

/** A value that JSON on the wire can hold: non-finite numbers and integers beyond 2^53 become strings. */
export const toWireJson = (tree: JsonTree): unknown => {
  if (tree instanceof Map) return Object.fromEntries([...tree].map(([key, value]) => [key, toWireJson(value)]))
  if (Array.isArray(tree)) return tree.map(toWireJson)
  if (typeof tree === 'bigint') return Number.isSafeInteger(Number(tree)) ? Number(tree) : String(tree)
  return typeof tree === 'number' ? toWireNumber(tree) : tree
}

const scalarText = (value: null | boolean | string | bigint | number): string => {
  if (typeof value === 'bigint') return String(value)
  return typeof value === 'number' ? floatText(value) : JSON.stringify(value)
}

// A float keeps its point, or Python would read an integer.
const floatText = (value: number): string => {
  if (Object.is(value, -0)) return '-0.0'
  const shortest = String(value)
  return /^-?\d+$/.test(shortest) ? `${shortest}.0` : shortest
}
