import { dollars, exactDollars } from './money';

/** An amount; exact on hover. `nanos` null is unknown, which is not free. */
export function Money({ nanos }: { nanos: number | null | undefined }) {
  if (nanos === null || nanos === undefined) return <span title="No price is known">unknown</span>;
  return (
    <data value={nanos} title={exactDollars(nanos)} style={{ fontVariantNumeric: 'tabular-nums' }}>
      {dollars(nanos)}
    </data>
  );
}
