/** Numbers that look random and are the same for the same seed on every machine. */
export interface RandomSource {
  /** Uniform in [0, 1). */
  next(): number
  normal(mean: number, sd: number): number
  /** Uniform integer in [0, below). */
  integer(below: number): number
  shuffled(length: number): Int32Array
  /** A version 4 UUID. */
  uuid(): string
  hex(digits: number): string
}

/** Spreads a text over four 32-bit words (FNV-1a with a final avalanche per word). */
const hashWords = (text: string): [number, number, number, number] => {
  const word = (salt: number) => {
    let hash = (2166136261 ^ salt) >>> 0
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 16777619) >>> 0
    hash = Math.imul(hash ^ (hash >>> 16), 2246822507) >>> 0
    hash = Math.imul(hash ^ (hash >>> 13), 3266489909) >>> 0
    return (hash ^ (hash >>> 16)) >>> 0
  }
  return [word(0x9e3779b9), word(0x243f6a88), word(0xb7e15162), word(0xdeadbeef)]
}

/** A source of its own for each list of labels, so that adding work in one place changes nothing elsewhere. Generator: sfc32. */
export const randomSource = (...labels: readonly (string | number)[]): RandomSource => {
  let [a, b, c, d] = hashWords(labels.join('\u0000'))
  const word = () => {
    const sum = (a + b + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let round = 0; round < 12; round++) word()
  const next = () => (word() * 2097152 + (word() >>> 11)) / 9007199254740992
  const integer = (below: number) => Math.floor(next() * below)
  const normal = (mean: number, sd: number) => mean + sd * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  const hex = (digits: number) => {
    let text = ''
    while (text.length < digits) text += word().toString(16).padStart(8, '0')
    return text.slice(0, digits)
  }
  return {
    next,
    integer,
    normal,
    hex,
    shuffled: (length) => {
      const order = Int32Array.from({ length }, (_, index) => index)
      for (let index = length - 1; index > 0; index--) {
        const other = integer(index + 1)
        const held = order[index] ?? 0
        order[index] = order[other] ?? 0
        order[other] = held
      }
      return order
    },
    uuid: () => {
      const variant = '89ab'[integer(4)] ?? '8'
      return `${hex(8)}-${hex(4)}-4${hex(3)}-${variant}${hex(3)}-${hex(12)}`
    },
  }
}
