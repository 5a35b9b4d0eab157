/** Keys of the keyboard, one after the other, with blanks between them. */
export const Keys = ({ keys }: { keys: string }) =>
  keys.split(' ').map((key) => (
    <kbd key={key} className="rounded border border-line-strong bg-sunken px-1.5 font-mono text-xs leading-5 whitespace-nowrap">
      {key}
    </kbd>
  ))
