import { Fragment } from 'react';

const AFTER = /(?<=[/_])/;

/** A name such as `replicate/dreamshaper`, which breaks between its parts where it must. */
export function Breakable({ children }: { children: string }) {
  return children.split(AFTER).map((part, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a name stay where they are
    <Fragment key={at}>
      {part}
      <wbr />
    </Fragment>
  ));
}
