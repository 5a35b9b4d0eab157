/**
 * How the values of filters are written, in addresses and in queries alike: what a page keeps, the server takes.
 * Free of zod so that the browser can import it.
 */

/** A number in digits; hexadecimal, blanks, NaN and infinities are none. */
export const numeral = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** Whether a text is a number that a double can hold. */
export const isNumber = (text: string): boolean => numeral.test(text) && Number.isFinite(Number(text))
