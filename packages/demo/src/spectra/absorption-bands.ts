/** A Gaussian absorption band: centre and standard deviation in nanometres, height in absorbance per unit of concentration. */
export interface Band {
  readonly centre: number
  readonly width: number
  readonly height: number
}

const band = (centre: number, width: number, height: number): Band => ({ centre, width, height })

/** Overtones and combinations as the textbooks place them between 1100 and 2500 nm; heights relative within one constituent. */
export const constituents = {
  water: [band(1190, 32, 0.1), band(1450, 42, 0.55), band(1790, 45, 0.06), band(1940, 38, 1)],
  protein: [
    band(1187, 22, 0.1),
    band(1510, 30, 0.24),
    band(1690, 26, 0.16),
    band(1740, 22, 0.14),
    band(2055, 32, 0.5),
    band(2180, 30, 0.62),
    band(2300, 26, 0.24),
  ],
  starch: [
    band(1200, 28, 0.12),
    band(1440, 48, 0.3),
    band(1585, 44, 0.18),
    band(1930, 52, 0.2),
    band(2100, 48, 0.72),
    band(2280, 32, 0.4),
    band(2325, 28, 0.3),
    band(2490, 34, 0.3),
  ],
  oil: [
    band(1210, 20, 0.24),
    band(1392, 24, 0.1),
    band(1414, 20, 0.1),
    band(1725, 18, 0.66),
    band(1762, 18, 0.5),
    band(2140, 26, 0.12),
    band(2308, 15, 0.9),
    band(2347, 15, 0.74),
  ],
  oleic: [
    band(1210, 20, 0.23),
    band(1725, 17, 0.68),
    band(1762, 19, 0.46),
    band(2144, 20, 0.16),
    band(2308, 15, 0.92),
    band(2345, 15, 0.7),
  ],
  linoleic: [
    band(1206, 22, 0.24),
    band(1690, 18, 0.14),
    band(1717, 19, 0.6),
    band(1765, 19, 0.4),
    band(2137, 20, 0.24),
    band(2302, 16, 0.84),
    band(2340, 16, 0.7),
  ],
  cellulose: [
    band(1220, 34, 0.1),
    band(1365, 30, 0.1),
    band(1490, 46, 0.3),
    band(1705, 34, 0.12),
    band(1820, 34, 0.16),
    band(2085, 54, 0.6),
    band(2270, 36, 0.52),
    band(2336, 28, 0.42),
    band(2488, 36, 0.4),
  ],
  lignin: [band(1170, 26, 0.12), band(1420, 36, 0.2), band(1672, 30, 0.34), band(2140, 34, 0.3), band(2268, 30, 0.34), band(2384, 32, 0.2)],
  clay: [band(1412, 16, 0.34), band(1912, 30, 0.42), band(2206, 20, 0.6), band(2350, 36, 0.24), band(2440, 40, 0.24)],
  carbonate: [band(1870, 36, 0.1), band(2160, 34, 0.14), band(2338, 24, 0.6)],
  humus: [
    band(1100, 260, 0.7),
    band(1650, 120, 0.18),
    band(1930, 60, 0.2),
    band(2140, 70, 0.24),
    band(2310, 44, 0.34),
    band(2380, 40, 0.2),
  ],
  lactose: [band(1440, 40, 0.3), band(1540, 34, 0.2), band(1934, 40, 0.16), band(2096, 36, 0.6), band(2270, 30, 0.34)],
  urea: [
    band(1462, 18, 0.4),
    band(1490, 16, 0.36),
    band(1526, 22, 0.2),
    band(1990, 26, 0.6),
    band(2030, 22, 0.4),
    band(2160, 24, 0.66),
    band(2204, 22, 0.5),
  ],
} as const satisfies Record<string, readonly Band[]>

export type Constituent = keyof typeof constituents

/** Absorbance of one unit of a constituent at every wavelength; `shift` moves the bands, as warmth and hydrogen bonding do. */
export const pureSpectrum = (constituent: Constituent, wavelengths: Float64Array, shift = 0): Float64Array => {
  const bands = constituents[constituent]
  return wavelengths.map((wavelength) =>
    bands.reduce((sum, { centre, width, height }) => sum + height * Math.exp(-0.5 * ((wavelength - centre - shift) / width) ** 2), 0),
  )
}
