/** At the right of the table; over it where the window is narrow. */
export const peekPlace =
  'flex w-108 shrink-0 flex-col border-l border-line bg-surface max-lg:absolute max-lg:inset-y-0 max-lg:right-0 max-lg:z-30 max-lg:max-w-full max-lg:shadow-pop'
