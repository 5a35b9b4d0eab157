/**
 * `Content-Disposition` of a download: an ASCII name for old programs and the full one as RFC 5987 has it. `name` is a file name, not a
 * path; whatever it holds, the value is one header line.
 */
export const contentDisposition = (name: string): string => {
  const fileName = name.toWellFormed().split(/[/\\]/).at(-1) ?? ''
  const plain = Array.from(fileName, (character) => (/[ -~]/.test(character) && !'"%;'.includes(character) ? character : '_')).join('')
  return `attachment; filename="${plain}"; filename*=UTF-8''${percentEncoded(fileName)}`
}

// encodeURIComponent leaves five characters that RFC 5987 does not allow bare.
const percentEncoded = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
