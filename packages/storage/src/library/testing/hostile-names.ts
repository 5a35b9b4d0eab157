import * as fc from 'fast-check'

/** For tests: names that have broken file stores before, and random ones made of the same signs. */
export const hostileNames: readonly string[] = [
  ...['..', '.', '../../x', '..\\..\\x', '/etc/passwd', 'C:\\x', '\\\\srv\\s', '%2e%2e/', '....//', 'x/../../y', 'file:///etc/passwd'],
  ...['a b', 'a_b', 'a.b', 'a/b', 'A', 'a', 'é', 'e\u0301', 'ß', 'SS', 'x', 'x ', ' x', '%41', 'T:One', 'tone', 'TONE', 'T?One'],
  ...[
    '_tombstones',
    '.lock',
    '.trash',
    '.staging',
    'CON',
    'nul.txt',
    'COM1',
    'com¹',
    'aux ',
    'con .x',
    '-rf',
    '--flag',
    '~',
    '$(id)',
    'a;b',
  ],
  ...[
    'a\'b"c',
    '*',
    'wh?at',
    '[ab]',
    '{a,b}',
    'x'.repeat(1000),
    '😀'.repeat(255),
    'a\0b',
    'a\r\nb',
    '\u202etxt',
    '\ud800',
    '\udfff',
    '\ufeff',
    '\x7f',
  ],
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'İ',
    'ı',
    'ﬁ',
    'Σς',
    'trailing.',
    'nan',
    'null',
    '<b>',
    '   ',
    '::',
    '?',
  ],
]

export const hostileName = fc.oneof(
  fc.constantFrom(...hostileNames),
  fc
    .array(fc.constantFrom('.', '/', '\\', ':', ' ', 'a', 'A', 'é', '\0', '\ud83d', '😀', '*', 'con', '~', '_'), {
      minLength: 1,
      maxLength: 12,
    })
    .map((signs) => signs.join('')),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
)
